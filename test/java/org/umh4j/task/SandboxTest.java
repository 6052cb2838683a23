// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** Filters that libseccomp has compiled, and landlock rules: the helper gets exactly their effect. */
@ExtendWith(Leaks.class)
final class SandboxTest {
    private static final Cred CRED = Cred.defaults();
    private static final Path FOLDER = ProbeProgram.FOLDER.resolve("sandbox");
    /** Debian's own: another one has not Debian's modules. */
    private static final String PYTHON = "/usr/bin/python3";

    private static final int SIGNAL_BITS = 0x7f;
    private static boolean compiled;

    /** The bytes of the filter with this name in filters.py. */
    private static byte[] filter(String name) throws IOException, InterruptedException {
        Need.SECCOMP_COMPILER.orSkip();
        if (!compiled) {
            Files.createDirectories(FOLDER);
            compiled = succeeds(PYTHON, "test/native/filters.py", FOLDER.toString());
            assertTrue(compiled);
        }
        return Files.readAllBytes(FOLDER.resolve(name + ".bpf"));
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            return builder.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static String outcome(Cred cred, Sandbox sandbox, String action) {
        SubprocessInfo info = ProbeProgram.doing(action.split(" "))
                .task(Task.defaults().cred(cred).sandbox(sandbox));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        return info.failure()
                .map(e -> e.stage() + " " + e.errnoName())
                .orElse((retval & SIGNAL_BITS) != 0 ? "signal " + (retval & SIGNAL_BITS) : "exit " + (retval >> 8));
    }

    /** The probe's action: makes the system call of this number and exits with its errno. SIGSYS is 31. */
    @ParameterizedTest
    @CsvSource({
        "errno, errno 110 0 0, exit 18", // getppid: EXDEV
        "errno, errno 102 0 0, exit 122", // getuid: EDQUOT
        "errno, errno 104 0 0, exit 0", // getgid
        "kill, errno 110 0 0, signal 31",
        "kill, errno 102 0 0, exit 0",
        "trap, errno 110 0 0, signal 31",
        "log, errno 110 0 0, exit 0",
        "argument, errno 62 0 0, exit 15", // kill with signal 0: ENOTBLK
        "argument, errno 62 0 18, exit 0",
        "argument, errno 33 1048576 3, exit 18", // dup2 from 2^20 up: EXDEV
        "argument, errno 33 1048575 3, exit 9", // and below, the kernel's own EBADF
        "no-exec, exit 0, EXEC EXDEV",
        "no-exec-killed, exit 0, signal 31",
        "no-capset, exit 3, exit 3",
        "allow-list, exit 3, exit 3",
        "allow-list, errno 110 0 0, exit 0",
        "allow-list, errno 102 0 0, exit 25", // ENOTTY
        "allow-list-killing, exit 3, exit 3",
        "allow-list-killing, errno 110 0 0, signal 31",
        "errno, exec PROBE probe errno 110 0 0, exit 18",
    })
    void filteredSyscallGetsTheActionOfTheFilter(String name, String action, String expected) throws Exception {
        Sandbox sandbox = Sandbox.defaults().seccomp(filter(name));
        assertEquals(expected, outcome(CRED.noNewPrivs(), sandbox, action.replace("PROBE", ProbeProgram.path())));
    }

    /** Then one capset is still to come behind it. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "errno, errno 110 0 0, exit 18",
        "kill, errno 110 0 0, signal 31",
        "no-exec, exit 0, EXEC EXDEV",
        "no-capset, exit 0, EFFECTIVE EXDEV",
        "allow-list, exit 0, EFFECTIVE ENOTTY", // and not allowed to tell: sendmsg
    })
    void privilegedFilterNeedsNoNoNewPrivs(String name, String action, String expected) throws Exception {
        Cred nobody = CRED.uid(65_534).gid(65_534);
        assertEquals(expected, outcome(nobody, Sandbox.defaults().seccomp(filter(name)), action));
    }

    @Test
    void abiIsThatOfTheKernel() throws Exception {
        Need.SECCOMP_COMPILER.orSkip();
        Path answer = ProbeProgram.FOLDER.resolve("abi");
        String ask =
                "import ctypes; print(max(0, ctypes.CDLL(None).syscall(444, None, 0, 1)))"; // landlock_create_ruleset
        int status = new ProcessBuilder(PYTHON, "-c", ask)
                .redirectOutput(answer.toFile())
                .start()
                .waitFor();
        assertEquals(0, status);
        assertEquals(Files.readString(answer).trim(), "" + Sandbox.landlockAbi());
    }

    @Test
    void landlockAllowsOnlyItsRules() throws Exception {
        Need.LANDLOCK.orSkip();
        Path file = Files.writeString(ProbeProgram.FOLDER.resolve("kept"), "as it was");
        String probe = ProbeProgram.path();
        String write = "write " + file + " x";
        Sandbox readOnly = Sandbox.defaults().readOnly("/");
        long execute = 1 | 1 << 2; // execute and read
        long listFolder = 1 << 3;
        for (Cred cred : List.of(CRED.noNewPrivs(), CRED)) {
            if (!cred.isNoNewPrivs() && !Files.isWritable(Path.of("/etc/passwd"))) {
                continue; // takes CAP_SYS_ADMIN
            }
            assertEquals("exit 125", outcome(cred, readOnly, write));
            assertEquals("exit 125", outcome(cred, readOnly, "exec " + probe + " probe " + write));
            assertEquals("as it was", Files.readString(file));
            assertEquals("exit 0", outcome(cred, readOnly, "exec /bin/true true"));
            assertEquals("EXEC EACCES", outcome(cred, Sandbox.defaults().landlock(), "exit 0"));
            assertEquals("EXEC EACCES", outcome(cred, Sandbox.defaults().readOnly("/etc"), "exit 0"));
            assertEquals("exit 0", outcome(cred, Sandbox.defaults().rule(probe, execute), "exit 0"));
            assertEquals("LANDLOCK ENOMSG", outcome(cred, Sandbox.defaults().rule(probe, listFolder), "exit 0"));
            assertEquals("exit 125", outcome(cred, Sandbox.defaults().readOnly(probe), "exec /bin/true true"));
            assertEquals("exit 125", outcome(cred, readOnly.readWrite("/etc"), write));
            assertEquals("exit 0", outcome(cred, readOnly.readWrite(file.toString()), write));
            assertEquals("x", Files.readString(file).substring(0, 1));
            Files.writeString(file, "as it was");
        }
    }
}
