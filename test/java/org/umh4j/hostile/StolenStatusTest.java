// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.Feature;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Thief;

/**
 * Other code in the JVM reaps the children. The kernel still knows the status since Linux 6.15; before, it is lost
 * and reported as lost. No call hangs.
 */
final class StolenStatusTest {
    private static final String WITHOUT_INFO = "-D" + Feature.WITHOUT_PROPERTY + "=pidfd_info";
    private static final int HELPERS = 200;

    @Test
    void statusReapedByAnotherLibraryIsStillKnown() throws Exception {
        assertEquals("right 200, lost 0\n", new Jvm().run(ThiefMain.class).requireSuccess());
    }

    @Test
    void statusReapedByAnotherLibraryIsLostOnOlderKernels() throws Exception {
        String out = new Jvm().option(WITHOUT_INFO).run(ThiefMain.class, "some").requireSuccess();
        assertEquals("right 200, lost some\n", out);
    }

    @Test
    void ignoredSigchldLosesNoStatus() throws Exception {
        assertEquals(
                kinds("42 << 8", "9", "42 << 8", "exit code 42, usage false"),
                ignoring().run(KindsMain.class).requireSuccess());
    }

    @Test
    void ignoredSigchldIsEchildOnOlderKernels() throws Exception {
        String out = ignoring().option(WITHOUT_INFO).run(KindsMain.class).requireSuccess();
        assertEquals(kinds("-10", "-10", "-10", "status lost, usage false"), out);
    }

    /** Reports of a failure or a start do not depend on the status. */
    @ParameterizedTest
    @ValueSource(strings = {"", "pidfd_info", "pidfd_info,clone3,close_range,execveat"})
    void ignoredSigchldChangesNoOtherResult(String without) throws Exception {
        String out = ignoring()
                .option("-D" + Feature.WITHOUT_PROPERTY + "=" + without)
                .run(AnswersMain.class)
                .requireSuccess();
        assertEquals("0 0 -2 -13 EXEC ENOENT\n", out);
    }

    private static Jvm ignoring() {
        return new Jvm().under("env", "--ignore-signal=CHLD");
    }

    private static String kinds(String blocking, String killed, String parked, String live) {
        return String.join("\n", blocking, killed, parked, live, "");
    }

    /** Starts helpers while a thread reaps whatever it can. */
    static final class ThiefMain {
        public static void main(String[] arguments) throws Exception {
            UsermodeHelper.start(ProbeProgram.doing("exit", "0")).close();
            var before = Leaks.descriptors();
            Set<Integer> taken = ConcurrentHashMap.newKeySet();
            Thread thief = new Thread(() -> {
                for (; ; ) {
                    taken.add(Thief.takeAny());
                }
            });
            thief.setDaemon(true);
            thief.start();
            int right = 0;
            int lost = 0;
            List<Helper> helpers = new ArrayList<>();
            for (int i = 0; i < HELPERS; i++) {
                helpers.add(UsermodeHelper.start(ProbeProgram.doing("exit", "" + i)));
            }
            for (int i = 0; i < HELPERS; i++) {
                WaitStatus status = helpers.get(i).waitFor();
                lost += status.lost() ? 1 : 0;
                right += status.lost() || status.exitCode() == i ? 1 : 0;
            }
            boolean some = arguments.length > 0 && lost > 0;
            System.out.println("right " + right + ", lost " + (some ? "some" : lost));
            boolean stole = helpers.stream().anyMatch(helper -> taken.contains((int) helper.pid()));
            if (!stole) {
                throw new AssertionError("the thief was never first");
            }
            Leaks.assertNothingLeft(before);
        }
    }

    /** One of each way to wait. */
    static final class KindsMain {
        public static void main(String[] arguments) throws Exception {
            ProbeProgram.path();
            Thief.ignoreChildren();
            print(UsermodeHelper.exec(ProbeProgram.doing("exit", "42"), UmhWait.PROC));
            print(UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), UmhWait.PROC));
            print(UsermodeHelper.exec(ProbeProgram.doing("exit", "42"), UmhWait.PROC.killable()));
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "42"))) {
                System.out.println(
                        helper.waitFor() + ", usage " + helper.usage().isPresent());
            }
        }

        private static void print(int retval) {
            System.out.println(retval > 255 ? (retval >> 8) + " << 8" : "" + retval);
        }
    }

    /** Calls that do not need the status. */
    static final class AnswersMain {
        public static void main(String[] arguments) throws Exception {
            List<Object> answers = new ArrayList<>();
            answers.add(UsermodeHelper.exec(ProbeProgram.doing("exit", "1"), UmhWait.EXEC));
            answers.add(UsermodeHelper.exec(ProbeProgram.doing("exit", "1"), UmhWait.NO_WAIT));
            answers.add(UsermodeHelper.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null), UmhWait.PROC));
            answers.add(
                    UsermodeHelper.exec(SubprocessInfo.of("/etc", new String[] {"x"}, null), UmhWait.PROC.killable()));
            try {
                UsermodeHelper.start(SubprocessInfo.of("/no/such", new String[] {"x"}, null));
            } catch (UmhException e) {
                answers.add(e.stage());
                answers.add(e.errnoName());
            }
            answers.forEach(answer ->
                    System.out.print(answer + (answer == answers.get(answers.size() - 1) ? "\n" : " ")));
        }
    }
}
