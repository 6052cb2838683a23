// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.support.Jvm;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.RequiresRoot;

/** A launcher with one broken line makes {@code make conformance} fail and name the field. */
@RequiresRoot
final class BrokenLauncherTest {
    private static final Path SOURCES = Path.of("src/main/native/launcher");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "status.Umask | fs.c | launch->plan->umask | 0",
                "status.SigIgn | signals.c | launch->plan->ignored_signals >> (signal - 1) & 1 | signal == SIGUSR2",
                "status.SigBlk | signals.c | SIG_SETMASK | SIG_BLOCK",
                "fds.0.link | fs.c | umh_syscall(__NR_umask | sys_open(\"/dev/null\", 0, 0); umh_syscall(__NR_umask",
                "keyrings.session.id | cred.c | KEYCTL_JOIN_SESSION_KEYRING | KEYCTL_SET_REQKEY_KEYRING",
            })
    void brokenLauncherIsDetected(String field, String file, String line, String broken, @TempDir Path folder)
            throws Exception {
        Path launcher = build(folder, file, line, broken);
        Jvm.Outcome outcome = conformance(launcher);
        assertEquals(1, outcome.exitCode(), outcome.out() + outcome.err());
        assertTrue(outcome.out().contains("FAILURE"), outcome.out());
        assertTrue(outcome.out().contains(" default.modprobe " + field + ": "), outcome.out());
    }

    @Test
    void correctLauncherConforms(@TempDir Path folder) throws Exception {
        Jvm.Outcome outcome = conformance(build(folder, "fs.c", "umask", "umask"));
        assertEquals(0, outcome.exitCode(), outcome.out() + outcome.err());
    }

    private static Jvm.Outcome conformance(Path launcher) throws IOException, InterruptedException {
        return new Jvm()
                .option("-D" + NativeLibrary.LAUNCHER_PROPERTY + "=" + launcher)
                .run(Conformance.class, Setting.UNCHANGED.name());
    }

    /** The launcher's sources with one piece of one file replaced, built as the library's own. */
    private static Path build(Path folder, String file, String piece, String other) throws Exception {
        try (Stream<Path> sources = Files.list(SOURCES)) {
            for (Path source :
                    (Iterable<Path>) sources.filter(path -> path.toString().endsWith(".c"))::iterator) {
                String text = Files.readString(source);
                if (source.endsWith(file)) {
                    assertTrue(text.contains(piece), file + " has no " + piece);
                    text = text.replace(piece, other);
                }
                Files.writeString(folder.resolve(source.getFileName()), text);
            }
        }
        return NativeProgram.launcher(folder, folder.resolve("launcher"));
    }
}
