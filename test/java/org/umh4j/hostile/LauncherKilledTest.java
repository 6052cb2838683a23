// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.HelperTimeoutException;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.Ignoring;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Strace;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * SIGKILL and SIGSTOP at each step of a launch: no caller waits without end, nothing leaks, and the next call works.
 */
final class LauncherKilledTest {
    /** The launcher's calls in their order up to execve; a new thread of the JVM makes the others too. */
    private static final List<String> STEPS = List.of(
            "setpriority",
            "sched_setattr",
            "sched_setaffinity",
            "set_mempolicy",
            "personality:when=2",
            "setsid",
            "keyctl",
            "umask",
            "chdir",
            "rt_sigaction",
            "rt_sigaction:when=40");

    /** Between clone and the launcher the child is in the JVM's memory. */
    private static final List<String> CHILD_STEPS =
            List.of("personality", "close_range", "close_range:when=2", "execveat");

    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"start", "exec", "wait"})
    void killAtAnyStepIsReportedAndTheNextCallWorks(String way) throws Exception {
        StringBuilder expected = new StringBuilder();
        for (List<String> steps : List.of(CHILD_STEPS, STEPS)) {
            steps.forEach(step -> expected.append(step).append(" KILLED EINTR 9, next 0\n"));
        }
        assertEquals(expected.toString(), new Jvm().run(KilledMain.class, way).requireSuccess());
    }

    /** Has a launcher killed at each step, one after the other. */
    static final class KilledMain {
        public static void main(String[] arguments) throws Exception {
            warm();
            TreeMap<String, Long> before = Leaks.descriptors();
            for (List<String> steps : List.of(CHILD_STEPS, STEPS)) {
                for (String step : steps) {
                    String what = Strace.inject(step, "signal=KILL", () -> started(arguments[0]));
                    System.out.println(step + " " + what + ", next " + answer(UmhWait.PROC));
                }
            }
            Leaks.assertNothingLeft(before);
        }
    }

    /** In the JVM's memory only root and the JVM's own user can stop it, who could as well stop the JVM. */
    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"start", "exec", "wait"})
    void stopAtAnyStepIsContinued(String way) throws Exception {
        StringBuilder expected = new StringBuilder();
        STEPS.forEach(step -> expected.append(step).append(" 0\n"));
        assertEquals(expected.toString(), new Jvm().run(StoppedMain.class, way).requireSuccess());
    }

    /** Has a launcher stopped at each step, one after the other. */
    static final class StoppedMain {
        public static void main(String[] arguments) throws Exception {
            warm();
            TreeMap<String, Long> before = Leaks.descriptors();
            for (String step : STEPS) {
                System.out.println(step + " " + Strace.inject(step, "signal=STOP", () -> started(arguments[0])));
            }
            Leaks.assertNothingLeft(before);
        }
    }

    private static void warm() throws Exception {
        for (String way : List.of("start", "exec", "wait")) {
            started(way);
        }
        Class.forName(Strace.class.getName());
        ProbeProgram.report();
    }

    private static int answer(UmhWait wait) {
        return UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), wait);
    }

    /** The result of a start: 0, or stage, errno and signal. */
    private static String started(String way) throws Exception {
        SubprocessInfo info =
                ProbeProgram.doing("exit", "0").task(Task.defaults().signals(Ignoring.everySignal()));
        if (way.equals("start")) {
            try (Helper helper = UsermodeHelper.start(info)) {
                return Integer.toString(helper.waitFor().raw());
            } catch (UmhException e) {
                return text(e);
            }
        }
        int retval = UsermodeHelper.exec(info, way.equals("exec") ? UmhWait.EXEC : UmhWait.PROC);
        return info.failure().map(LauncherKilledTest::text).orElse(Integer.toString(retval));
    }

    private static String text(UmhException failure) {
        return failure.stage() + " " + failure.errnoName() + " " + failure.detail();
    }

    @Test
    void stoppedHelperEndsAtTheTimeLimit() throws Exception {
        String[] argv = ProbeProgram.argv("kill", "19", "pause");
        SubprocessInfo info = SubprocessInfo.of(ProbeProgram.path(), argv, new String[0]);
        RunOptions capture =
                RunOptions.defaults().timeout(Duration.ofMillis(100)).grace(Duration.ofMillis(100));
        HelperTimeoutException timeout = org.junit.jupiter.api.Assertions.assertThrows(
                HelperTimeoutException.class, () -> UsermodeHelper.run(info, capture));
        assertTrue(timeout.result().status().signaled(), timeout.toString());
    }

    /** Each of these is a call of the JVM on the way from start to outcome, in order. */
    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"socketpair", "sendmsg", "clone3", "poll", "ppoll"})
    void killedJvmLeavesOnlyDetachedHelpers(String call) throws Exception {
        String mark = "kill-test-" + ProcessHandle.current().pid() + "-" + call;
        Process jvm = new ProcessBuilder(new Jvm().command(JvmKilledMain.class, call, mark))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long detached = -1;
        try (BufferedReader out = new BufferedReader(new InputStreamReader(jvm.getInputStream()))) {
            String[] pids = out.readLine().split(" ");
            detached = Long.parseLong(pids[0]);
            assertTrue(jvm.waitFor(60, TimeUnit.SECONDS), "the JVM lives on");
            Await.until("the tied helper ends", () -> !Pid.isRunning(Long.parseLong(pids[1])));
            Await.until("the helper on its way ends", () -> running(mark).isEmpty());
            assertTrue(Pid.isRunning(detached), "the detached helper is dead");
        } finally {
            jvm.destroyForcibly();
            Pid.end(detached);
        }
    }

    /** Processes with this argument that run, but for the JVM itself. */
    private static List<Long> running(String mark) throws IOException {
        List<Long> found = new java.util.ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                try {
                    String line = Files.readString(process.resolve("cmdline"));
                    if (line.contains("\0" + mark)
                            && Pid.isRunning(
                                    Long.parseLong(process.getFileName().toString()))) {
                        found.add(Long.valueOf(process.getFileName().toString()));
                    }
                } catch (IOException e) {
                    // ended since
                }
            }
        }
        return found;
    }

    /** Has one detached helper and one that is tied, and is killed while it starts a third, which is tied. */
    static final class JvmKilledMain {
        public static void main(String[] arguments) throws Exception {
            SignalState tied = SignalState.defaults().parentDeathSignal(Signal.KILL);
            long detached = UsermodeHelper.start(ProbeProgram.doing("pause")).pid();
            long bound = UsermodeHelper.start(
                            ProbeProgram.doing("pause").task(Task.defaults().signals(tied)))
                    .pid();
            warm();
            System.out.println(detached + " " + bound);
            SubprocessInfo third = ProbeProgram.doing("pause", arguments[1])
                    .task(Task.defaults().signals(tied));
            Strace.inject(arguments[0], "signal=KILL", () -> UsermodeHelper.start(third));
        }
    }
}
