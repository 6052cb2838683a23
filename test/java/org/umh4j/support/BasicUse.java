// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.umh4j.Helper;
import org.umh4j.HelperTimeoutException;
import org.umh4j.RunOptions;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.WaitStatus;

/** Goes through the ways to use a helper that need no /proc, and prints each result. */
public final class BasicUse {
    /** Its output. */
    public static final String ANSWERS = String.join(
            "\n",
            "exec 1792 9 -2",
            "parked 1792 9 -2",
            "start exit code 7",
            "run hello, exit code 3",
            "timeout killed by SIGTERM",
            "driver exit code 7",
            "");

    private static final List<String> RESULTS = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        UmhWait parked = UmhWait.PROC.killable();
        RESULTS.add("exec " + exec("7", UmhWait.PROC) + " " + killed(UmhWait.PROC) + " " + missing(UmhWait.PROC));
        RESULTS.add("parked " + exec("7", parked) + " " + killed(parked) + " " + missing(parked));
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "7"))) {
            RESULTS.add("start " + helper.onExit().get(20, TimeUnit.SECONDS));
        }
        String[] argv = {"sh", "-c", "read word; echo $word; exit 3"};
        RunResult result = UsermodeHelper.run(
                SubprocessInfo.of("/bin/sh", argv, null), RunOptions.defaults().input("hello\n".getBytes()));
        RESULTS.add("run " + result.stdoutText().trim() + ", " + result.status());
        RESULTS.add("timeout " + timedOut());
        try (UsermodeDriver driver = DriverBlobs.doing("exit", "7")) {
            driver.fork();
            RESULTS.add("driver " + driver.onExit().get(20, TimeUnit.SECONDS));
        }
        System.out.print(String.join("\n", RESULTS) + "\n");
    }

    private static int exec(String code, UmhWait wait) {
        return answer(ProbeProgram.doing("exit", code), wait);
    }

    private static int killed(UmhWait wait) {
        return answer(ProbeProgram.doing("kill", "9"), wait);
    }

    private static int missing(UmhWait wait) {
        return UsermodeHelper.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null), wait);
    }

    private static int answer(SubprocessInfo info, UmhWait wait) {
        int retval = UsermodeHelper.exec(info, wait);
        info.failure().ifPresent(failure -> {
            throw new IllegalStateException(failure);
        });
        return retval;
    }

    private static WaitStatus timedOut() throws Exception {
        try {
            return UsermodeHelper.run(ProbeProgram.doing("pause"), Duration.ofMillis(50))
                    .status();
        } catch (HelperTimeoutException e) {
            return e.result().status();
        }
    }
}
