// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.time.Duration;
import org.umh4j.Capture;
import org.umh4j.Cred;
import org.umh4j.Errno;
import org.umh4j.Helper;
import org.umh4j.HelperTimeoutException;
import org.umh4j.InitFailure;
import org.umh4j.Signal;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.ProbeProgram;

/** What is tried in a soak, and when its answer is right. */
enum Load {
    WAIT("a helper, waited for", () -> exit(7, UmhWait.PROC) == 7 << 8),
    KILLABLE("the same, killable", () -> exit(8, UmhWait.PROC.killable()) == 8 << 8),
    EXEC("a helper, waited for until it is executed", () -> exit(0, UmhWait.EXEC) == 0),
    NO_WAIT("a helper, not waited for", () -> exit(0, UmhWait.NO_WAIT) == 0),
    DIES("a helper that a signal kills", () -> UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), UmhWait.PROC) == 9),
    MISSING("a program that is not there", () -> call("/no/such/program") == -Errno.ENOENT.number()),
    NO_PROGRAM("a folder instead of a program", () -> call("/etc") == -Errno.EACCES.number()),
    REFUSED("an init function that refuses", Load::refused),
    STARTED("a live helper, killed", Load::startedAndKilled),
    CAPTURED("output and input", Load::captured),
    TIMEOUT("a time limit", Load::timedOut),
    INTERRUPTED("a caller that is interrupted", Load::interrupted),
    PRIVILEGE("no new privileges", () -> UsermodeHelper.exec(
            ProbeProgram.doing("exit", "0").cred(Cred.unchanged().noNewPrivs()), UmhWait.PROC) == 0),
    DRIVER("a driver, loaded, forked, closed", Load::driver),
    PROCESS_BUILDER("a ProcessBuilder's process beside it", () -> new ProcessBuilder("/bin/false").start().waitFor() == 1);

    /** One try. */
    interface Try {
        boolean isRight() throws Exception;
    }

    final String what;
    private final Try once;

    Load(String what, Try once) {
        this.what = what;
        this.once = once;
    }

    boolean isRight() throws Exception {
        return once.isRight();
    }

    private static int exit(int code, UmhWait wait) {
        return UsermodeHelper.exec(ProbeProgram.doing("exit", "" + code), wait);
    }

    private static int call(String path) {
        return UsermodeHelper.call(path, new String[] {"x"}, null, UmhWait.PROC);
    }

    private static boolean refused() {
        SubprocessInfo info = ProbeProgram.doing("exit", "0").init((call, cred) -> {
            throw new InitFailure(Errno.EPERM);
        });
        return UsermodeHelper.exec(info, UmhWait.PROC) == -Errno.EPERM.number();
    }

    private static boolean startedAndKilled() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            helper.kill(Signal.TERM);
            return helper.waitFor().raw() == Signal.TERM.number();
        }
    }

    private static boolean captured() throws Exception {
        SubprocessInfo cat = SubprocessInfo.of("/bin/cat", new String[] {"cat"}, null);
        return UsermodeHelper.run(cat, Capture.defaults().input("hello".getBytes())).out().equals("hello");
    }

    private static boolean timedOut() throws Exception {
        try {
            UsermodeHelper.run(ProbeProgram.doing("pause"), Duration.ofMillis(5));
            return false;
        } catch (HelperTimeoutException e) {
            return true;
        }
    }

    /** The helper runs on, and is then ended by its own time. */
    private static boolean interrupted() {
        Thread.currentThread().interrupt();
        int retval = UsermodeHelper.exec(ProbeProgram.doing("sleep", "5"), UmhWait.PROC.killable());
        return Thread.interrupted() && retval == -Errno.EINTR.number();
    }

    private static boolean driver() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            return driver.isRunning() && driver.tgid() > 0;
        }
    }
}
