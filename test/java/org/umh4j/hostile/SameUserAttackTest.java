// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * Four threads start helpers as twenty users. A process of one of these users stops, traces and reads all that it
 * can. {@code -Dtest.attack.seconds=60} makes the test longer.
 */
final class SameUserAttackTest {
    private static final int SECONDS = Integer.getInteger("test.attack.seconds", 8);
    private static final int USERS = 20;
    private static final int THREADS = 4;
    private static final int CODE = 7;
    /** Far from users that exist, and of this run alone: whatever belongs to them will be stopped. */
    private static final int FIRST_UID = 1_000_000;

    private static final Duration BOUND = Duration.ofSeconds(60);

    @Test
    @RequiresRoot
    void userOfAHelperDoesNotReachTheJvm() throws Exception {
        int uid = FIRST_UID + (int) (ProcessHandle.current().pid() % 100_000) * USERS;
        String out = new Jvm()
                .under("setpriv", "--regid=1", "--clear-groups") // see dumpable()
                .run(
                        AttackMain.class,
                        NativeProgram.compile("attacker"),
                        Integer.toString(uid),
                        Integer.toString(SECONDS))
                .requireSuccess();
        System.out.println(out.indent(4));
        Map<String, String> output = out.lines()
                .map(line -> line.split(": ", 2))
                .collect(Collectors.toMap(line -> line[0], line -> line[1]));
        for (String way : List.of("stop", "mem", "readv", "seize", "attach")) {
            String counts = output.get("attacker " + way);
            assertTrue(counts.matches("tried [1-9]\\d* allowed \\d+ reached 0"), way + " " + counts);
        }
        assertEquals("true", output.get("dumpable all the time"));
        assertEquals("0", output.get("threads that hang"));
        assertEquals("0", output.get("other outcomes"));
        assertEquals(output.get("started"), output.get("accounted for"));
        assertTrue(Long.parseLong(output.get("ended by themselves")) > 0, out);
    }

    /** The JVM that is attacked. */
    static final class AttackMain {
        private static final Map<String, LongAdder> COUNTS = new ConcurrentSkipListMap<>();
        private static volatile boolean over;

        public static void main(String[] arguments) throws Exception {
            int uid = Integer.parseInt(arguments[1]);
            int seconds = Integer.parseInt(arguments[2]);
            List.of("started", "ended by themselves", "launcher killed", "stopped, killed", "other outcomes")
                    .forEach(AttackMain::counter);
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            var descriptors = Leaks.descriptors();
            List<Thread> threads = new ArrayList<>();
            boolean dumpable = true;
            try (Helper attacker = attacker(arguments[0], uid, seconds)) {
                for (int i = 0; i < THREADS; i++) {
                    threads.add(new Thread(() -> startHelpers(uid)));
                }
                threads.forEach(Thread::start);
                long end = System.nanoTime() + seconds * 1_000_000_000L;
                while (System.nanoTime() < end) {
                    dumpable &= dumpable();
                    Thread.sleep(1);
                }
                over = true;
                System.out.println("threads that hang: " + hanging(threads));
                attacker.kill(Signal.TERM);
                String output = new String(attacker.stdout().readAllBytes(), StandardCharsets.US_ASCII);
                output.lines().forEach(line -> System.out.println("attacker " + line.replaceFirst(" ", ": ")));
            }
            System.out.println("dumpable all the time: " + (dumpable && dumpable()));
            COUNTS.forEach((name, count) -> System.out.println(name + ": " + count));
            long all = COUNTS.values().stream().mapToLong(LongAdder::sum).sum();
            System.out.println("accounted for: " + (all - counter("started").sum()));
            Leaks.assertNothingLeft(descriptors);
        }

        private static LongAdder counter(String name) {
            return COUNTS.computeIfAbsent(name, key -> new LongAdder());
        }

        /** It ends by itself after a while, and with this JVM, whatever else happens. */
        private static Helper attacker(String path, int uid, int seconds) throws IOException {
            String[] argv = {
                "attacker", Long.toString(ProcessHandle.current().pid()), mappedHere(), Integer.toString(seconds + 30)
            };
            return UsermodeHelper.start(SubprocessInfo.of(path, argv, null)
                    .task(Task.defaults()
                            .cred(Cred.defaults().uid(uid).gid(uid).groups(new long[0]))
                            .descriptors(
                                    Descriptors.none().devNull(0).pipeToJvm(1).inherit(2, 2))
                            .signals(SignalState.defaults().parentDeathSignal(Signal.KILL))));
        }

        /** Where the JVM's own library begins. */
        private static String mappedHere() throws IOException {
            return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                    .filter(line -> line.endsWith("/libjvm.so"))
                    .map(line -> line.substring(0, line.indexOf('-')))
                    .findFirst()
                    .orElseThrow();
        }

        /**
         * /proc has files of a process that is not dumpable belong to user and group 0; this one's group is
         * another.
         */
        private static boolean dumpable() throws IOException {
            return !Files.getAttribute(Path.of("/proc/self/environ"), "unix:gid")
                    .equals(0);
        }

        /** Threads get some time for the helper that they are at. */
        private static long hanging(List<Thread> threads) throws InterruptedException {
            long deadline = System.nanoTime() + BOUND.toNanos();
            for (Thread thread : threads) {
                thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            }
            return threads.stream().filter(Thread::isAlive).count();
        }

        private static void startHelpers(int uid) {
            try {
                for (int number = 0; !over; number++) {
                    int user = uid + ThreadLocalRandom.current().nextInt(USERS);
                    SubprocessInfo info = ProbeProgram.doing("exit", "" + CODE)
                            .task(Task.defaults()
                                    .cred(Cred.defaults().uid(user).gid(user).groups(new long[0]))
                                    .signals(
                                            number % 4 == 0
                                                    ? SignalState.defaults().parentDeathSignal(Signal.KILL)
                                                    : SignalState.defaults()));
                    counter("started").increment();
                    counter(outcome(info)).increment();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** The attacker may have stopped its own user's helper: that is let go on a few times. */
        private static String outcome(SubprocessInfo info) throws InterruptedException {
            try (Helper helper = UsermodeHelper.start(info)) {
                for (int attempt = 0; attempt < 20; attempt++) {
                    Optional<WaitStatus> status = helper.waitFor(Duration.ofMillis(50));
                    if (status.isPresent()) {
                        return status.get().raw() == CODE << 8 ? "ended by themselves" : other(status.get());
                    }
                    helper.kill(Signal.CONT);
                }
                helper.kill(Signal.KILL);
                int status = helper.waitFor(BOUND).map(WaitStatus::raw).orElse(-1);
                return status == CODE << 8 ? "ended by themselves" : status == 9 ? "stopped, killed" : other(status);
            } catch (UmhException e) {
                return e.stage() == UmhStage.KILLED && e.detail() == 9 ? "launcher killed" : other(e);
            }
        }

        private static String other(Object outcome) {
            System.err.println(outcome);
            return "other outcomes";
        }
    }
}
