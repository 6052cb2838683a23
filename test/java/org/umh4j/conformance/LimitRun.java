// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.cli.Main;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Report;
import org.umh4j.task.Cred;
import org.umh4j.task.Task;

/**
 * Runs in a JVM under a limit: compares a helper with the kernel's, whose reports are in a directory. Then it prints
 * the unapplied steps of a helper, the attributes of a helper of another user, and the output of a driver. Then it runs
 * umh doctor.
 */
final class LimitRun {
    static final String REFUSED = "refused ";
    static final String UNAPPLIED = "unapplied ";
    static final String OTHER_USER = "other user ";
    static final String DRIVER = "driver ";
    private static final int OTHER_UID = 65_534;
    private static final String PROBE = "/probe";

    private LimitRun() {}

    public static void main(String[] arguments) throws InterruptedException {
        try {
            SettingRun.main(new String[] {Setting.UNCHANGED.name(), arguments[0]});
            System.out.println(UNAPPLIED + unapplied());
            System.out.println(OTHER_USER + otherUser());
            System.out.println(DRIVER + driver());
        } catch (IOException | LinkageError e) {
            System.out.println(REFUSED + e.getMessage());
        }
        Main.main(new String[] {"doctor"});
    }

    private static SubprocessInfo probe() {
        return SubprocessInfo.of(PROBE, new String[] {PROBE}, null);
    }

    private static String unapplied() throws IOException, InterruptedException {
        try (Helper helper = UsermodeHelper.start(probe())) {
            helper.waitFor();
            Programs.onlyReport(PROBE);
            return helper.unapplied().stream().map(UmhStage::name).collect(Collectors.joining(", "));
        }
    }

    /** A program that runs from memory. */
    private static String driver() throws IOException {
        try (UsermodeDriver driver =
                UsermodeDriver.load("driver", Path.of("/tool")).arguments("print", "hello")) {
            driver.fork();
            String output = new String(driver.pipeFromUmh().stream().readAllBytes(), StandardCharsets.US_ASCII).trim();
            return output + ", " + driver.onExit().join();
        } catch (UmhException e) {
            return e.toString();
        }
    }

    /** A helper of a user without privilege; between the change and its execve the launcher is not dumpable. */
    private static String otherUser() throws IOException {
        Cred cred = Cred.defaults().uid(OTHER_UID).gid(OTHER_UID).noNewPrivs();
        SubprocessInfo info = probe().task(Task.defaults().cred(cred));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        if (retval != 0) {
            return info.failure().map(UmhException::toString).orElse("returned " + retval);
        }
        Report report = Programs.onlyReport(PROBE);
        return "uid " + report.get("uids_ruid_euid_suid") + " no_new_privs " + report.number("no_new_privs")
                + " dumpable " + report.number("dumpable");
    }
}
