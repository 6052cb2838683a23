// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Copies;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/**
 * Forks of another library hold copies of the plan sockets, run as another user, and send plans and reports on them.
 * No program of theirs is executed, no process is killed for them, and no result is wrong. {@code
 * -Dtest.attack.launches=2000} makes the test longer.
 */
@RequiresRoot
final class CopiedPlanSocketTest {
    private static final int LAUNCHES = Integer.getInteger("test.attack.launches", 100);
    private static final Path MARK = Path.of("/tmp/umh4j-was-executed");

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void copiesOfThePlanSocketGiveNoAccess(boolean takes) throws Exception {
        Files.deleteIfExists(MARK);
        String out = new Jvm()
                .limit(Duration.ofMinutes(10))
                .run(CopiesMain.class, NativeProgram.compile("mark"), "" + takes, "" + LAUNCHES)
                .requireSuccess();
        System.out.println(out.indent(4));
        assertTrue(out.endsWith("wrong: 0\n"), out);
        assertTrue(out.contains("right: "), out);
        assertEquals(false, Files.exists(MARK), "the program of the forks was executed");
    }

    static final class CopiesMain {
        private static final int CODE = 7;
        private static final int UID = 65534;
        private static final Duration PATIENCE = Duration.ofSeconds(60);
        private static final Map<String, Integer> OUTCOMES = new TreeMap<>();
        private static volatile boolean over;
        private static int reaped;

        public static void main(String[] arguments) throws Exception {
            int launches = Integer.parseInt(arguments[2]);
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            Copies.load();
            var before = Leaks.descriptors();
            try (Helper other =
                    UsermodeHelper.start(SubprocessInfo.of("/bin/sleep", new String[] {"sleep", "1000"}, null))) {
                Thread forks =
                        new Thread(() -> forks((int) other.pid(), Boolean.parseBoolean(arguments[1]), arguments[0]));
                forks.start();
                for (int number = 0; number < launches; number++) {
                    OUTCOMES.merge(outcome(number), 1, Integer::sum);
                }
                over = true;
                forks.join();
                OUTCOMES.merge("wrong", other.waitFor(Duration.ZERO).isPresent() ? 1 : 0, Integer::sum);
                other.kill(Signal.KILL);
            }
            Leaks.assertNothingLeft(before);
            say();
        }

        private static void say() {
            for (String what : Copies.WHATS) {
                int index = Copies.WHATS.indexOf(what);
                System.out.println(
                        what + ": " + Copies.count(index, false) + " tried, " + Copies.count(index, true) + " done");
            }
            System.out.println("forks that the library has reaped: " + reaped);
            int wrong = OUTCOMES.remove("wrong");
            OUTCOMES.forEach((outcome, count) -> System.out.println(outcome + ": " + count));
            System.out.println("wrong: " + wrong);
        }

        private static void forks(int other, boolean takes, String program) {
            try {
                while (!over) {
                    int pid = Copies.fork(UID, other, takes, program);
                    Thread.sleep(20);
                    reaped += Copies.end(pid) < 0 ? 1 : 0;
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private static String outcome(int number) {
            SubprocessInfo info = ProbeProgram.doing("exit", "" + CODE);
            long begin = System.nanoTime();
            String outcome = number % 2 == 0 ? waitedFor(info) : started(info);
            if (System.nanoTime() - begin > PATIENCE.toNanos()) {
                return "wrong";
            }
            return outcome;
        }

        private static String waitedFor(SubprocessInfo info) {
            int retval = UsermodeHelper.exec(info, UmhWait.PROC);
            return retval >= 0
                    ? ended(retval)
                    : info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse("wrong");
        }

        private static String started(SubprocessInfo info) {
            try (Helper helper = UsermodeHelper.start(info)) {
                Optional<WaitStatus> status = helper.waitFor(PATIENCE);
                return ended(status.map(WaitStatus::raw).orElse(-1));
            } catch (UmhException e) {
                return e.stage() + " " + e.errnoName();
            } catch (InterruptedException e) {
                return "wrong";
            }
        }

        private static String ended(int status) {
            if (status != CODE << 8) {
                System.err.println("status " + status);
            }
            return status == CODE << 8 ? "right" : "wrong";
        }
    }
}
