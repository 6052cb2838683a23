// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Shell;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.Task;

/** A wait status reports how the helper ended, and confuses no two ways. */
@ExtendWith(Leaks.class)
final class WaitStatusTest {
    private static WaitStatus statusOf(SubprocessInfo info) throws Exception {
        try (Helper helper = UsermodeHelper.start(info)) {
            WaitStatus status = helper.waitFor();
            assertEquals(status, helper.status().orElseThrow());
            return status;
        }
    }

    @Test
    void exitCode128PlusASignalIsNoSignal() throws Exception {
        for (int signal = 1; signal <= 64; signal++) {
            WaitStatus exited = statusOf(ProbeProgram.doing("exit", "" + (128 + signal)));
            assertTrue(exited.exited());
            assertFalse(exited.signaled() || exited.coreDumped() || exited.lost());
            assertEquals(128 + signal, exited.exitCode());
        }
        WaitStatus killed = statusOf(ProbeProgram.doing("kill", "9"));
        assertTrue(killed.signaled());
        assertFalse(killed.exited());
        assertEquals("killed by SIGKILL", killed.toString());
        assertEquals(
                "exit code 137", statusOf(ProbeProgram.doing("exit", "137")).toString());
    }

    /** The view has but one number for both, as a shell has; the helper behind it still tells them apart. */
    @Test
    void exitValueOfTheProcessIsThatOfAShell() throws Exception {
        for (String[] actions : new String[][] {{"exit", "137"}, {"kill", "9"}}) {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing(actions))) {
                assertEquals(137, helper.toProcess().waitFor());
                assertEquals(actions[0].equals("exit"), helper.waitFor().exited());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {125, 126, 127})
    void exitCodesOfAShellAreNoFailureOfTheLaunch(int code) throws Exception {
        assertEquals(code, statusOf(ProbeProgram.doing("exit", "" + code)).exitCode());
        assertEquals(
                code,
                UsermodeHelper.run(ProbeProgram.doing("exit", "" + code), RunOptions.defaults())
                        .status()
                        .exitCode());
        SubprocessInfo missing = SubprocessInfo.of("/no/such/program", new String[] {"x"}, null);
        assertEquals(
                UmhStage.EXEC,
                assertThrows(UmhException.class, () -> UsermodeHelper.start(missing))
                        .stage());
    }

    @ParameterizedTest
    @ValueSource(ints = {256, 257, 511, -1})
    void exitCodeIsCutToEightBits(int code) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(
                "/usr/bin/perl", new String[] {"perl", "-MPOSIX", "-e", "POSIX::_exit(" + code + ")"}, null);
        assertEquals(code & 0xff, statusOf(info).exitCode());
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4, 6, 8, 11})
    void coreDumpIsReported(int signal) throws Exception {
        if (!coresAreFiles()) {
            Need.CORE_FILES.missing();
        }
        Path folder = Files.createTempDirectory(ProbeProgram.FOLDER, "core");
        for (boolean allowed : new boolean[] {true, false}) {
            Limits limits = Limits.defaults().rlimit(Rlimit.CORE, allowed ? 1 << 20 : 0);
            WaitStatus status = statusOf(ProbeProgram.doing("kill", "" + signal)
                    .task(Task.defaults().limits(limits).fs(Fs.defaults().cwd(folder.toString()))));
            assertEquals(signal, status.signal());
            boolean written = emptied(folder);
            assertEquals(written, status.coreDumped(), status::toString);
            assertEquals(allowed, written, "whether there is a core");
            assertEquals(written, status.toString().endsWith(" (core dumped)"));
        }
    }

    @Test
    void missingCoreDumpIsReported() throws Exception {
        assertFalse(statusOf(ProbeProgram.doing("kill", "15")).coreDumped());
        assertFalse(statusOf(ProbeProgram.doing("kill", "9")).coreDumped());
        assertFalse(statusOf(ProbeProgram.doing("exit", "139")).coreDumped());
    }

    @Test
    void statusIsThatOfTheHelperAndNotOfItsChildren() throws Exception {
        assertEquals(
                2,
                statusOf(Shell.script("(exit 1); (kill -9 $(exec sh -c 'echo $PPID')); exit 2"))
                        .exitCode());
    }

    private static boolean coresAreFiles() throws IOException {
        String pattern =
                Files.readString(Path.of("/proc/sys/kernel/core_pattern")).trim();
        return !pattern.isEmpty() && !pattern.startsWith("|") && !pattern.contains("/");
    }

    /** Whether there was anything in it. */
    private static boolean emptied(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.toFile().delete()).toList().size() > 0;
        }
    }

    @Test
    void textNamesExitCodeSignalCoreDumpOrLoss() {
        assertEquals("exit code 137", new WaitStatus(137 << 8).toString());
        assertEquals("killed by SIGKILL", new WaitStatus(9).toString());
        assertEquals("killed by SIGSEGV (core dumped)", new WaitStatus(11 | 128).toString());
        assertEquals("status lost", WaitStatus.LOST.toString());
        assertFalse(WaitStatus.LOST.exited() || WaitStatus.LOST.signaled() || WaitStatus.LOST.success());
        assertTrue(new WaitStatus(0).success());
        assertTrue(new WaitStatus(11 | 128).coreDumped());
    }
}
