// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.EntriesMain;
import org.umh4j.support.Jvm;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** A JVM of root loads only files that no other user can have written. */
final class NativeLibraryTest {
    /** A library whose loading leaves a file behind; made by the C compiler that the build needs anyway. */
    private static byte[] trap(Path folder, Path mark) throws Exception {
        Path source = folder.resolve("trap.c");
        Files.writeString(
                source,
                "#include <fcntl.h>\n__attribute__((constructor)) static void sprung(void)" + " { open(\"" + mark
                        + "\", O_CREAT | O_WRONLY, 0666); }\n");
        Path library = folder.resolve("trap.so");
        Process gcc = new ProcessBuilder("gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                .inheritIO()
                .start();
        assertEquals(0, gcc.waitFor());
        return Files.readAllBytes(library);
    }

    /** Makes one call and prints its result. */
    static final class CallMain {
        public static void main(String[] arguments) {
            System.out.println(UsermodeHelper.call("/bin/true", new String[] {"true"}, null, UmhWait.PROC));
        }
    }

    @Test
    void libraryInASharedDirectoryIsNotLoaded(@TempDir Path folder) throws Exception {
        Path mark = folder.resolve("sprung");
        byte[] trap = trap(folder, mark);
        Path home = Files.createDirectory(folder.resolve("home"));
        Path shared = Files.createDirectory(folder.resolve("shared"));
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
        for (Path base : List.of(home, shared)) {
            for (String name : List.of("libumh4j.so", "libjniumh4j.so", "libjnijavacpp.so")) {
                for (String sub :
                        List.of(".", "umh4j", ".javacpp/cache", "linux-x86_64", "org/umh4j/internal/linux-x86_64")) {
                    Path planted = base.resolve(sub).resolve(name);
                    Files.createDirectories(planted.getParent());
                    Files.write(planted, trap);
                }
            }
        }
        Jvm.Outcome outcome = new Jvm()
                .option(
                        "-Duser.home=" + home,
                        "-Djava.io.tmpdir=" + shared,
                        "-Djava.library.path=" + shared + ":" + home)
                .run(CallMain.class);
        assertEquals("0\n", outcome.requireSuccess());
        assertFalse(Files.exists(mark), "a planted library was loaded");
    }

    @Test
    void directoryThatOthersCanWriteIsSkipped(@TempDir Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Jvm.Outcome outcome = new Jvm()
                .option("-D" + NativeLibrary.DIRECTORY_PROPERTY + "=" + folder)
                .run(CallMain.class);
        assertTrue(outcome.err().contains("can be written by others"), outcome.err());
        assertFalse(outcome.exitCode() == 0);
    }

    @Test
    void linkInADirectoryThatOthersCanWriteIsNotFollowed(@TempDir Path folder) throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Path library = Files.write(folder.resolve("libumh4j.so"), LibraryFile.resource("libumh4j.so"));
        Path link = Files.createSymbolicLink(open.resolve("libumh4j.so"), library);
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        Jvm.Outcome outcome = new Jvm()
                .option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + link)
                .run(CallMain.class);
        assertTrue(outcome.err().contains("can be written by others"), outcome.err());
    }

    @Test
    void trustedLibraryOfThePropertyIsLoaded(@TempDir Path folder) throws Exception {
        Path library = Files.write(folder.resolve("libumh4j.so"), LibraryFile.resource("libumh4j.so"));
        Path launcher = Files.write(folder.resolve("launcher"), LibraryFile.resource("launcher.elf"));
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        Jvm.Outcome outcome = new Jvm()
                .option(
                        "-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + library,
                        "-D" + NativeLibrary.LAUNCHER_PROPERTY + "=" + launcher)
                .run(CallMain.class);
        assertEquals("0\n", outcome.requireSuccess());
    }

    @Test
    @RequiresRoot
    void libraryOfAnotherUserIsNotLoaded(@TempDir Path folder) throws Exception {
        Path mark = folder.resolve("sprung");
        Path library = Files.write(folder.resolve("libumh4j.so"), trap(folder, mark));
        Files.setAttribute(library, "unix:uid", 65_534);
        Jvm.Outcome outcome = new Jvm()
                .option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + library)
                .run(CallMain.class);
        assertTrue(outcome.err().contains("belongs to uid 65534"), outcome.err());
        assertFalse(Files.exists(mark));
    }

    /** The reason of the failure, and a part of the remedy. */
    private static void assertEachEntrySays(Jvm.Outcome outcome, String reason, String remedy) {
        String output = outcome.requireSuccess();
        assertEquals(1, output.lines().count(), output + outcome.err());
        assertTrue(output.contains(reason) && output.contains(remedy), output);
    }

    /** From the JVM's beginning, the options of the host's fault before it. */
    private static Jvm.Outcome entries(Jvm jvm) throws Exception {
        return jvm.shortLived().run(EntriesMain.class);
    }

    @Test
    void eachCallReportsTheMissingLibrary() throws Exception {
        Jvm jvm = new Jvm().option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=/no/such/libumh4j.so");
        assertEachEntrySays(entries(jvm), "/no does not exist", NativeLibrary.LIBRARY_PROPERTY);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 63, 64, 4096, -1})
    void truncatedLibraryDoesNotCrashTheJvm(int length, @TempDir Path folder) throws Exception {
        byte[] whole = LibraryFile.resource("libumh4j.so");
        byte[] part = Arrays.copyOf(whole, length < 0 ? endOfSegments(whole) - 1 : length);
        Path library = Files.write(folder.resolve("libumh4j.so"), part);
        Jvm jvm = new Jvm().option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + library);
        assertEachEntrySays(entries(jvm), library.toString(), "; name the libumh4j.so of this release");
    }

    /** The end of the last mapped segment: e_phoff, e_phentsize, e_phnum, then p_type, p_offset, p_filesz of each. */
    private static int endOfSegments(byte[] library) {
        ByteBuffer elf = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN);
        int end = 0;
        for (int number = 0; number < elf.getShort(56); number++) {
            int at = (int) elf.getLong(32) + number * elf.getShort(54);
            end = elf.getInt(at) == 1 ? Math.max(end, (int) (elf.getLong(at + 8) + elf.getLong(at + 32))) : end;
        }
        return end;
    }

    @Test
    void libraryOfAnotherArchitectureIsReported(@TempDir Path folder) throws Exception {
        byte[] other = LibraryFile.resource("libumh4j.so");
        other[18] = (byte) (other[18] == 62 ? 183 : 62);
        Path library = Files.write(folder.resolve("libumh4j.so"), other);
        Jvm jvm = new Jvm().option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + library);
        assertEachEntrySays(entries(jvm), "is for another architecture", "; name the libumh4j.so of this release");
        Files.writeString(library, "not a library, but as long as the header of one, which is sixty-four bytes long");
        assertEachEntrySays(entries(jvm), "is not a 64-bit ELF library", "; name the libumh4j.so of this release");
    }

    /** It is loaded, and then lacks what the library has. */
    @Test
    void foreignLibraryIsReported(@TempDir Path folder) throws Exception {
        Path library = Files.write(folder.resolve("libumh4j.so"), trap(folder, folder.resolve("sprung")));
        Jvm jvm = new Jvm().option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=" + library);
        assertEachEntrySays(entries(jvm), "Native", "; name the libumh4j.so of this release");
    }

    @ParameterizedTest
    @ValueSource(strings = {"riscv64", ""})
    void unsupportedArchitectureIsReported(String name) throws Exception {
        assertEachEntrySays(
                entries(new Jvm().option("-Dos.arch=" + name)), "this jar has no linux-" + name, "x86_64 and arm64");
    }

    @Test
    @RequiresRoot
    void eachNoexecDirectoryIsNamed() throws Exception {
        String folders = "/tmp /run /dev/shm /var/tmp";
        // As they are, but noexec: the classes of the tests may be in one of them.
        Jvm jvm = new Jvm()
                .under(
                        "unshare",
                        "-m",
                        "/bin/sh",
                        "-c",
                        "for f in " + folders
                                + "; do mount --bind $f $f && mount -o remount,bind,noexec $f || exit 9; done;"
                                + " exec \"$0\" \"$@\"")
                .option("-Duser.home=/no/such/home")
                .variable("XDG_RUNTIME_DIR=/run");
        assertEachEntrySays(entries(jvm), "/dev/shm: ", "not mounted noexec by -D" + NativeLibrary.DIRECTORY_PROPERTY);
    }

    @Test
    void deniedNativeAccessNamesItsOption() throws Exception {
        Need.DENIED_NATIVE_ACCESS.orSkip();
        Jvm jvm = new Jvm().withoutNativeAccess().option("--illegal-native-access=deny");
        assertEachEntrySays(entries(jvm), "llegal native access", "--enable-native-access=ALL-UNNAMED");
    }

    @Test
    @RequiresRoot
    void unmappedRootOwnerIsReported() throws Exception {
        Jvm jvm = new Jvm().under("unshare", "--user", "--map-root-user").asNobody();
        assertEachEntrySays(entries(jvm), "belongs to uid 65534", "newuidmap");
    }

    @Test
    void unknownFeatureIsReportedEachTime() throws Exception {
        assertEachEntrySays(entries(new Jvm().option("-Dorg.umh4j.without=warp")), "warp is none of", "clone3");
    }

    @Test
    void relativePathIsRefused() throws Exception {
        Jvm.Outcome outcome = new Jvm()
                .option("-D" + NativeLibrary.LIBRARY_PROPERTY + "=libumh4j.so")
                .run(CallMain.class);
        assertTrue(outcome.err().contains("not an absolute path"), outcome.err());
    }

    @Test
    void noFileIsLeft(@TempDir Path folder) throws Exception {
        new Jvm()
                .option("-D" + NativeLibrary.DIRECTORY_PROPERTY + "=" + folder)
                .run(CallMain.class)
                .requireSuccess();
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    @RequiresRoot
    void noexecDirectoryIsSkipped(@TempDir Path folder) throws Exception {
        Jvm.Outcome outcome = new Jvm().withNoexecTmpdir(folder).run(CallMain.class);
        assertEquals("0\n", outcome.requireSuccess());
    }

    @Test
    @RequiresRoot
    void readOnlyHomeAndNoexecTmpSuffice(@TempDir Path folder) throws Exception {
        Jvm.Outcome outcome = new Jvm()
                .under(
                        "unshare",
                        "-m",
                        "/bin/sh",
                        "-c",
                        "mount -t tmpfs -o ro none " + folder + " && mount -t tmpfs -o noexec none /var/tmp"
                                + " && exec \"$0\" \"$@\"")
                .option("-Duser.home=" + folder, "-Djava.io.tmpdir=/var/tmp")
                .run(CallMain.class);
        assertEquals("0\n", outcome.requireSuccess());
    }

    @Test
    void noJavacppClassIsLoaded() throws Exception {
        Jvm.Outcome outcome = new Jvm().option("-Xlog:class+load").run(CallMain.class);
        assertFalse(outcome.requireSuccess().contains("org.bytedeco"), "a class of JavaCPP was loaded");
        assertTrue(outcome.out().contains("org.umh4j.UsermodeHelper"));
    }

    @Test
    void noWarningIsPrinted() throws Exception {
        assertEquals("", new Jvm().run(CallMain.class).err());
    }

    @Test
    void moduleWorksWithoutBuildTimeDependencies(@TempDir Path folder) throws Exception {
        Path module = Path.of("target/classes").toAbsolutePath();
        String feature = Runtime.version().feature() >= 22 ? "--enable-native-access=org.umh4j" : "-Dno.such=1";
        Files.createDirectories(folder.resolve("user/app"));
        Files.writeString(folder.resolve("user/module-info.java"), "module user { requires org.umh4j; }");
        Files.writeString(
                folder.resolve("user/app/Main.java"),
                "package app; public class Main { public static void main(String[] a) { System.out.println("
                        + "org.umh4j.UsermodeHelper.call(\"/bin/true\", new String[] {\"true\"}, null,"
                        + " org.umh4j.UmhWait.PROC)); } }");
        String home = System.getProperty("java.home");
        run(List.of(
                home + "/bin/javac",
                "-p",
                module.toString(),
                "-d",
                folder + "/out/user",
                folder + "/user/module-info.java",
                folder + "/user/app/Main.java"));
        assertEquals(
                "0\n",
                run(List.of(home + "/bin/java", feature, "-p", module + ":" + folder + "/out", "-m", "user/app.Main")));
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        return out;
    }

    @Test
    void probeDirectoryOfTheTestsIsReadable() {
        assertTrue(Files.isExecutable(Path.of(ProbeProgram.path())));
    }
}
