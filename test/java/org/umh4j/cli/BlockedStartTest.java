// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Need;

/**
 * {@code umh} while the start of its helper is blocked: its timeout counts, a signal ends it, and no process is left.
 */
final class BlockedStartTest {
    private static final int SIGINT = 2;
    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;
    /** A shell without job control starts background jobs with SIGINT ignored, and a JVM would inherit that. */
    private static final List<String> HEEDING = List.of("env", "--default-signal=INT");

    @TempDir
    private Path folder;

    /** Keeps a file from being opened as long as the process lives. */
    private Process held(Path file) throws Exception {
        Files.copy(Path.of("/bin/true"), file, StandardCopyOption.COPY_ATTRIBUTES);
        Process lease = new ProcessBuilder(NativeProgram.compile("lease"), file.toString(), "-1").start();
        assertEquals('h', lease.getInputStream().read());
        return lease;
    }

    @ParameterizedTest
    @CsvSource({
        "124, --stdin FILE /bin/true",
        "124, --fd 7=FILE /bin/true",
        "124, FILE",
        "124, --seccomp FIFO --no-new-privs /bin/true"
    })
    void timeoutCountsFromTheBeginning(int expected, String options) throws Exception {
        Path fifo = folder.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        Path file = folder.resolve("held");
        Process lease = held(file);
        try {
            String words = "exec --timeout 1s "
                    + options.replace("FILE", file.toString()).replace("FIFO", fifo.toString());
            Jvm.Outcome outcome = new Jvm().shortLived().run(Main.class, words.split(" "));
            assertEquals(expected, outcome.exitCode(), outcome.err());
        } finally {
            lease.destroyForcibly().waitFor();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "15, exec --stdin FILE /bin/true",
        "2, exec --stdin FILE /bin/true",
        "15, exec FILE",
        "15, exec --wait exec FILE",
        "9, exec FILE",
        "9, exec --unshare mount FILE",
        "15, driver FILE",
        "15, probe --fd 7=FILE",
        "15, exec --seccomp FILE /bin/true"
    })
    void signalEndsUmh(int signal, String words) throws Exception {
        assertTrue(List.of(SIGINT, SIGKILL, SIGTERM).contains(signal));
        if (words.contains("--unshare")) {
            Need.ROOT.orSkip();
        }
        Path file = folder.resolve("held");
        Process lease = held(file);
        Path gone = folder.resolve("held-by");
        try {
            List<String> command = new ArrayList<>(new Jvm()
                    .shortLived()
                    .command(Main.class, words.replace("FILE", file.toString()).split(" ")));
            command.addAll(0, HEEDING);
            Process umh = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(gone.toFile())
                    .start();
            Thread.sleep(1_500); // it is there by now, or somewhere before: either way it ends
            new ProcessBuilder("kill", "-" + signal, "" + umh.pid()).start().waitFor();
            assertTrue(umh.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS), "umh hangs");
            assertEquals(128 + signal, umh.exitValue());
        } finally {
            lease.destroyForcibly().waitFor();
        }
    }
}
