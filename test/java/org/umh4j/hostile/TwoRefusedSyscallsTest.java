// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.Helper;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.BasicUse;
import org.umh4j.support.Filter;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;

/**
 * Filters refuse two system calls at once, or the calls that container runtimes and systemd refuse, on kernels of
 * several ages. The results are the same, or one error has stage and errno. The test tries a part of all pairs, by a
 * seed that is printed; {@code -Dtest.one.in=1} tries all of them.
 */
@ExtendWith(Leaks.class)
final class TwoRefusedSyscallsTest {
    private static final int ONE_IN = Integer.getInteger("test.one.in", 60);
    private static final long SEED = Long.getLong("test.seed", System.nanoTime() & 0xffff);
    private static final int FEW = 3;

    private static final List<String> LISTS =
            List.of("docker", "docker-19.03", "containerd", "containerd-1.3", "systemd-system-service");
    /** The features that Linux 5.4, 5.8, 5.10 and 6.12 lack. */
    private static final List<String> AGES =
            List.of("clone3,close_range,pidfd_info", "close_range,pidfd_info", "pidfd_info", "");

    /** The calls by which the JVM waits, signals and is notified. A running JVM survives their refusal. */
    private static final List<String> CALLS = List.of(
            "waitid",
            "wait4",
            "pidfd_send_signal",
            "kill",
            "pidfd_open",
            "epoll_create1",
            "epoll_ctl",
            "epoll_wait",
            "eventfd2",
            "poll",
            "close_range",
            "unshare",
            "execveat",
            "personality",
            "keyctl");

    /** Calls of which one must work: without both, no process can be awaited or killed. */
    private static final List<String> NEEDED = List.of("waitid and wait4", "pidfd_send_signal and kill");

    static {
        System.out.println("TwoRefusedSyscallsTest: -Dtest.seed=" + SEED);
    }

    @Test
    @RequiresRoot
    void twoRefusedSyscallsOfALaunchAreReplacedOrReported() throws Exception {
        Path program = ProbeProgram.FOLDER.resolve("pairs");
        Path tiny = ProbeProgram.FOLDER.resolve("bench/tiny");
        Path launcher = Path.of("target/classes/org/umh4j/internal/linux-x86_64/launcher.elf")
                .toAbsolutePath();
        run("make", "-s", "BENCH=" + tiny.getParent(), tiny.toString());
        run("make", "-s", "PAIRS=" + program, program.toString());
        String output = run(
                program.toString(),
                launcher.toString(),
                tiny.toString(),
                "" + (ONE_IN == 1 ? 1 : 8 * ONE_IN),
                "" + Math.max(SEED, 1));
        assertTrue(output.contains("| all |"), output);
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    static Stream<List<String>> listsAndAges() {
        List<List<String>> all = new ArrayList<>();
        for (String list : LISTS) {
            AGES.forEach(age -> all.add(List.of(list, age)));
        }
        return some(all, FEW);
    }

    private static <T> Stream<T> some(List<T> all, int few) {
        List<T> shuffled = new ArrayList<>(all);
        Collections.shuffle(shuffled, new Random(SEED));
        return shuffled.stream().limit(ONE_IN == 1 ? all.size() : few);
    }

    @ParameterizedTest
    @MethodSource("listsAndAges")
    void filtersOfContainerRuntimesChangeNoResult(List<String> listAndAge) throws Exception {
        RunResult result = jvm(Filter.named(listAndAge.get(0)), listAndAge.get(1));
        assertEquals(BasicUse.ANSWERS + WaysToEndMain.ANSWERS, result.stdoutText(), result.stderrText());
    }

    static Stream<String> pairs() {
        List<String> all = new ArrayList<>();
        for (int first = 0; first < CALLS.size(); first++) {
            for (int second = first + 1; second < CALLS.size(); second++) {
                all.add("EPERM " + CALLS.get(first) + " and " + CALLS.get(second));
                all.add("ENOSYS " + CALLS.get(first) + " and " + CALLS.get(second));
            }
        }
        return some(all, FEW);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void twoRefusedSyscallsOfTheJvmAreReplacedOrReported(String pair) throws Exception {
        String errno = pair.substring(0, pair.indexOf(' '));
        RunResult result = jvm(Filter.of(List.of(pair.replace(" and ", " "))), "");
        if (NEEDED.contains(pair.substring(errno.length() + 1))) {
            assertTrue(
                    result.stderrText().contains(errno)
                            || result.stdoutText().contains(errno)
                            || result.stdoutText().contains("lost"),
                    result.toString());
        } else {
            // a helper that may not kill itself exits with 125
            String answers =
                    pair.matches(".*\\bkill\\b.*") ? BasicUse.ANSWERS.replace(" 9 ", " 32000 ") : BasicUse.ANSWERS;
            assertEquals(answers + WaysToEndMain.ANSWERS, result.stdoutText(), result.stderrText());
        }
    }

    /** A JVM as a helper that the filter is for, and which ends in bounded time. */
    private static RunResult jvm(byte[] filter, String without) throws Exception {
        List<String> command =
                new Jvm().shortLived().option("-Dorg.umh4j.without=" + without).command(WaysToEndMain.class);
        SubprocessInfo info = SubprocessInfo.of(
                        command.get(0), command.toArray(String[]::new), new String[] {"HOME=/", "PATH=/usr/bin:/bin"})
                .task(Task.defaults()
                        .cred(Cred.defaults().noNewPrivs())
                        .sandbox(Sandbox.defaults().seccomp(filter)));
        return UsermodeHelper.run(info, Duration.ofSeconds(90));
    }

    /** Beyond the results of BasicUse: helpers that are killed, closed, and ended by a timeout. */
    static final class WaysToEndMain {
        static final String ANSWERS = "killed by SIGTERM, killed by SIGKILL, empty, exit code 0\nnothing left\n";

        public static void main(String[] arguments) throws Exception {
            BasicUse.main(arguments);
            var before = Leaks.descriptors();
            Helper other = UsermodeHelper.start(ProbeProgram.doing("pause"));
            try (Helper one = UsermodeHelper.start(ProbeProgram.doing("pause"));
                    Helper last = UsermodeHelper.start(ProbeProgram.doing("exit", "0"))) {
                boolean early = other.waitFor(Duration.ofMillis(50)).isPresent();
                one.kill(Signal.TERM);
                WaitStatus killed = one.onExit().get(20, TimeUnit.SECONDS);
                other.close();
                WaitStatus closed = other.onExit().get(20, TimeUnit.SECONDS);
                System.out.println(killed + ", " + closed + ", " + (early ? "ended" : "empty") + ", " + last.waitFor());
            }
            Leaks.assertNothingLeft(before);
            System.out.println("nothing left");
        }
    }
}
