// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.support.Jvm;

/** A Path names the same file as its string and its bytes, or is refused. */
final class PathArgumentsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Task TASK = Task.defaults();
    private static final Limits LIMITS = Limits.defaults();
    private static final NamespaceSetup NAMESPACES = NamespaceSetup.defaults();
    private static final Sandbox SANDBOX = Sandbox.defaults();

    @TempDir
    private Path directory;

    /** Each method that takes a path. */
    private static final List<Function<Path, Task>> TAKING_PATHS = List.of(
            path -> TASK.fs(Fs.defaults().cwd(path)),
            path -> TASK.fs(Fs.defaults().root(path)),
            path -> TASK.limits(LIMITS.cgroup(path)),
            path -> TASK.namespaces(NAMESPACES.joinFile(Namespace.NET, path)),
            path -> TASK.sandbox(SANDBOX.readOnly(path)),
            path -> TASK.sandbox(SANDBOX.readWrite(path)),
            path -> TASK.sandbox(SANDBOX.rule(path, 1)),
            path -> TASK.descriptors(Descriptors.none().open(0, path)));

    /** The same by strings. */
    private static final List<Function<String, Task>> TAKING_STRINGS = List.of(
            path -> TASK.fs(Fs.defaults().cwd(path)),
            path -> TASK.fs(Fs.defaults().root(path)),
            path -> TASK.limits(LIMITS.cgroup(path)),
            path -> TASK.namespaces(NAMESPACES.joinFile(Namespace.NET, path)),
            path -> TASK.sandbox(SANDBOX.readOnly(path)),
            path -> TASK.sandbox(SANDBOX.readWrite(path)),
            path -> TASK.sandbox(SANDBOX.rule(path, 1)),
            path -> TASK.descriptors(Descriptors.none().open(0, path)));

    /** The same by bytes, where a task can have them. */
    private static final List<Function<byte[], Task>> TAKING_BYTES = List.of(
            path -> TASK.fs(Fs.defaults().cwd(path)),
            path -> TASK.fs(Fs.defaults().root(path)),
            path -> TASK.limits(LIMITS.cgroup(path)),
            path -> TASK.namespaces(NAMESPACES.joinFile(Namespace.NET, path)),
            path -> TASK.sandbox(SANDBOX.rule(path, 1)),
            path -> TASK.descriptors(Descriptors.none().open(0, path)));

    private static String failure(Task task) {
        SubprocessInfo info = SubprocessInfo.of("/bin/true", new String[] {"true"}, null);
        Task tame = task.cred(Cred.defaults().noNewPrivs());
        UmhException e = assertThrows(UmhException.class, () -> UsermodeHelper.run(info.task(tame), LONG));
        return e.stage() + " " + e.errnoName();
    }

    @Test
    void missingFileFailsAtTheSameStageByPathStringAndBytes() {
        List<String> byPath = TAKING_PATHS.stream()
                .map(setter -> failure(setter.apply(directory.resolve("missing"))))
                .toList();
        List<String> byString = TAKING_STRINGS.stream()
                .map(setter -> failure(setter.apply(directory + "/missing")))
                .toList();
        byte[] bytes = (directory + "/missing").getBytes(StandardCharsets.UTF_8);
        List<String> byBytes = TAKING_BYTES.stream()
                .map(setter -> failure(setter.apply(bytes)))
                .toList();
        assertEquals(byString, byPath);
        assertEquals(
                List.of("CWD ENOENT", "CGROUP ENOENT", "JOIN ENOENT"),
                List.of(byPath.get(0), byPath.get(2), byPath.get(3)));
        assertTrue(byPath.containsAll(byBytes), byBytes + " of " + byPath);
    }

    @Test
    void workingDirectoryIsThatOfThePath() throws Exception {
        SubprocessInfo info = SubprocessInfo.of("/bin/pwd", new String[] {"pwd", "-P"}, null)
                .task(TASK.fs(Fs.defaults().cwd(directory)));
        assertEquals(
                directory.toRealPath() + "\n",
                UsermodeHelper.run(info, LONG).requireSuccess().stdoutText());
    }

    @Test
    void pathOfAnotherFileSystemIsRefused() throws Exception {
        URI archive = URI.create("jar:" + directory.resolve("archive.jar").toUri());
        try (FileSystem other = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
            for (Function<Path, Task> setter : TAKING_PATHS) {
                Exception e = assertThrows(IllegalArgumentException.class, () -> setter.apply(other.getPath("/etc")));
                assertTrue(e.getMessage().contains("not a path of the default file system"), e.getMessage());
            }
        }
    }

    @Test
    void nullIsRefused() {
        for (Function<Path, Task> setter : TAKING_PATHS) {
            assertThrows(NullPointerException.class, () -> setter.apply(null));
        }
    }

    @Test
    void pathWithBytesOutsideTheEncodingIsRefused() throws Exception {
        new Jvm()
                .shortLived()
                .after("touch " + directory + "/$(printf 'caf\\351')")
                .run(UndecodableMain.class, directory.toString())
                .requireSuccess();
    }

    /** In a JVM of UTF-8, for a file with a name in Latin-1. */
    static final class UndecodableMain {
        public static void main(String[] arguments) throws Exception {
            try (var files = Files.newDirectoryStream(Path.of(arguments[0]), "caf*")) {
                Path file = files.iterator().next();
                for (Function<Path, Task> setter : TAKING_PATHS) {
                    Exception e = assertThrows(IllegalArgumentException.class, () -> setter.apply(file));
                    assertTrue(e.getMessage().contains("pass it as bytes"), e.getMessage());
                }
            }
        }
    }
}
