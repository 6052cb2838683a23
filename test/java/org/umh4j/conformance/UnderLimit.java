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
 * A JVM's part under a limit: compares a helper with the kernel's, whose reports are in a folder; says what a helper
 * had to keep, what one of another user is, and what a driver says; and asks umh doctor.
 */
final class UnderLimit {
    static final String REFUSED = "refused ";
    static final String KEPT = "kept ";
    static final String NOBODY = "nobody ";
    static final String DRIVER = "driver ";
    private static final int OTHER_UID = 65_534;
    private static final String PROBE = "/probe";

    private UnderLimit() {}

    public static void main(String[] arguments) throws InterruptedException {
        try {
            InSetting.main(new String[] {Setting.AS_IT_IS.name(), arguments[0]});
            System.out.println(KEPT + kept());
            System.out.println(NOBODY + nobody());
            System.out.println(DRIVER + driver());
        } catch (IOException | LinkageError e) {
            System.out.println(REFUSED + e.getMessage());
        }
        Main.main(new String[] {"doctor"});
    }

    private static SubprocessInfo probe() {
        return SubprocessInfo.of(PROBE, new String[] {PROBE}, null);
    }

    private static String kept() throws IOException, InterruptedException {
        try (Helper helper = UsermodeHelper.start(probe())) {
            helper.waitFor();
            Programs.onlyReport(PROBE);
            return helper.unapplied().stream().map(UmhStage::name).collect(Collectors.joining(", "));
        }
    }

    /** A program that runs from memory. */
    private static String driver() throws IOException {
        try (UsermodeDriver driver =
                UsermodeDriver.load("truth", Path.of("/tool")).arguments("print", "hello")) {
            driver.fork();
            String said = new String(driver.pipeFromUmh().stream().readAllBytes(), StandardCharsets.US_ASCII).trim();
            return said + ", " + driver.onExit().join();
        } catch (UmhException e) {
            return e.toString();
        }
    }

    /** A helper of a user without privilege; between the change and its execve the launcher is not dumpable. */
    private static String nobody() throws IOException {
        Cred cred = Cred.defaults().uid(OTHER_UID).gid(OTHER_UID).noNewPrivs();
        SubprocessInfo info = probe().task(Task.defaults().cred(cred));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        if (retval != 0) {
            return info.failure().map(UmhException::toString).orElse("answered " + retval);
        }
        Report report = Programs.onlyReport(PROBE);
        return "uid " + report.get("uids_ruid_euid_suid") + " no_new_privs " + report.number("no_new_privs")
                + " dumpable " + report.number("dumpable");
    }
}
