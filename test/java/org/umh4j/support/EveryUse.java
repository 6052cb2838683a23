// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.Session;
import org.umh4j.task.Task;

/** Goes through all ways to use a helper and prints each result. */
public final class EveryUse {
    /** Its output. */
    public static final List<String> EXPECTED = List.of(
            "exec 1792 9 -2",
            "parked 1792 9 -2",
            "start exit code 7",
            "run hello, exit code 3",
            "streams 100000",
            "gone ok",
            "timeout killed by SIGTERM",
            "led nobody false false",
            "report umask 0022, cwd /, fds [], SigIgn 0, SigBlk 0",
            "");

    private static final List<String> RESULTS = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        if (Boolean.getBoolean("test.gone")) {
            Files.delete(Path.of(System.getProperty("user.dir")));
        }
        UmhWait parked = UmhWait.PROC.killable();
        RESULTS.add("exec " + exec("7", UmhWait.PROC) + " " + killed(UmhWait.PROC) + " " + missing(UmhWait.PROC));
        RESULTS.add("parked " + exec("7", parked) + " " + killed(parked) + " " + missing(parked));
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "7"))) {
            RESULTS.add("start " + helper.onExit().get(20, TimeUnit.SECONDS));
        }
        var before = Leaks.descriptors(); // all is loaded that is loaded once
        RunResult result = UsermodeHelper.run(
                shell("read word; echo $word; exit 3"), RunOptions.defaults().input("hello\n".getBytes()));
        RESULTS.add("run " + result.stdoutText().trim() + ", " + result.status());
        RESULTS.add("streams " + streamed());
        RESULTS.add("gone " + writtenToNobody());
        RESULTS.add("timeout " + timedOut());
        RESULTS.add("led nobody " + reached(KillScope.GROUP) + " " + reached(KillScope.SESSION));
        RESULTS.add("report " + report());
        Leaks.assertNothingLeft(before);
        String text = String.join("\n", RESULTS) + "\n";
        if (arguments.length > 0) {
            Files.writeString(Path.of(arguments[0]), text);
        } else {
            System.out.print(text);
        }
    }

    private static int exec(String code, UmhWait wait) {
        return UsermodeHelper.exec(ProbeProgram.doing("exit", code), wait);
    }

    private static int killed(UmhWait wait) {
        return UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), wait);
    }

    private static int missing(UmhWait wait) {
        return UsermodeHelper.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null), wait);
    }

    private static SubprocessInfo shell(String commands) {
        return SubprocessInfo.of("/bin/sh", new String[] {"sh", "-c", commands}, UsermodeHelper.kernelEnvironment());
    }

    private static int streamed() throws IOException {
        SubprocessInfo info = shell("head -c 100000 /dev/zero")
                .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)));
        try (Helper helper = UsermodeHelper.start(info);
                InputStream out = helper.stdout()) {
            return out.readAllBytes().length;
        }
    }

    /** EPIPE is an answer and never a signal. */
    private static String writtenToNobody() throws Exception {
        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0)));
        try (Helper helper = UsermodeHelper.start(info)) {
            helper.waitFor();
            helper.stdin().write("x".getBytes(StandardCharsets.US_ASCII));
            helper.stdin().flush();
            return "nobody complained";
        } catch (IOException e) {
            return "ok";
        }
    }

    private static WaitStatus timedOut() throws Exception {
        try {
            return UsermodeHelper.run(ProbeProgram.doing("pause"), Duration.ofMillis(50))
                    .status();
        } catch (HelperTimeoutException e) {
            return e.result().status();
        }
    }

    /** A helper that leads neither; as pid 1's child it is in a session that has no number here. */
    private static boolean reached(KillScope scope) throws IOException {
        try (Helper helper = UsermodeHelper.start(
                ProbeProgram.doing("pause").task(Task.defaults().session(Session.inherited())))) {
            return helper.kill(scope, Signal.KILL) || !helper.isAlive();
        }
    }

    private static String report() {
        Report report = ProbeProgram.report();
        return "umask " + report.text("status.Umask") + ", cwd " + report.text("cwd") + ", fds " + report.get("fds")
                + ", SigIgn " + Long.toHexString(report.hex("status.SigIgn")) + ", SigBlk "
                + Long.toHexString(report.hex("status.SigBlk"));
    }
}
