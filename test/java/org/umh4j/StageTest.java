// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.internal.Stages;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/**
 * Each stage fails as itself. The kernel is made to refuse one system call of the launcher, from outside, by strace.
 */
final class StageTest {
    @Test
    void listIsTheSameInJavaAndInC() {
        List<String> java = Arrays.stream(UmhStage.values()).map(Enum::name).collect(Collectors.toList());
        assertEquals(Stages.ofTheShim(), java);
    }

    @ParameterizedTest
    @EnumSource(UmhStage.class)
    void everyStageIsExplainedInTheErrorsPage(UmhStage stage) throws Exception {
        String page = java.nio.file.Files.readString(Path.of("docs/errors.md"));
        assertTrue(page.contains("| `" + stage + "` |"), () -> stage + " is not in docs/errors.md");
    }

    /** What can't be left out. A launcher that is refused one of these ends, and says where and why. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "setsid, EPERM, SESSION",
        "chdir, EACCES, CWD",
        "capget, EPERM, CAPABILITIES",
        "rt_sigaction:when=61, EINVAL, SIGNALS",
        "execve, EIO, EXEC",
    })
    void requiredStepThatIsRefusedFailsAtItsStage(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class));
    }

    /** What the host may refuse. The helper starts all the same, and says what it was not given. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "keyctl, EDQUOT, KEYRING",
        "setpriority, EACCES, NICE",
        "sched_setattr, EPERM, SCHED",
        "sched_setaffinity, EINVAL, AFFINITY",
        "set_mempolicy, EPERM, MEMPOLICY",
        "personality, EPERM, PERSONALITY",
    })
    void stepThatMayBeRefusedIsKeptAndTold(String call, String errno, String stage) throws Exception {
        assertEquals("kept [" + stage + "]\n", outcome(call, "error=" + errno, KeptMain.class));
    }

    /** On the JVM's side of the process. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "socketpair, EMFILE, SOCKET",
        "sendmsg, ENOBUFS, SOCKET",
        "close_range, ENOMEM, SHED",
        "execveat, EACCES, LAUNCH",
    })
    void parentAndChildStagesFailAsThemselves(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class));
    }

    @Test
    void moreDescriptorsThanTheLauncherMayHaveFailItsPlan() throws Exception {
        String out = new Jvm().under("prlimit", "--nofile=200:200").run(ManyFilesMain.class).requireSuccess();
        assertEquals("PLAN EMFILE\nnext 0\n", out);
    }

    /** Sends as many descriptors as the limit is high; the launcher has one of its own. */
    static final class ManyFilesMain {
        public static void main(String[] arguments) throws Exception {
            Files files = Files.none();
            for (int target = 0; target < 200; target++) {
                files = files.inherit(target, 0);
            }
            SubprocessInfo info = ProbeProgram.doing("exit", "0").files(files);
            UsermodeHelper.exec(info, UmhWait.PROC);
            UmhException failure = info.failure().orElseThrow();
            System.out.println(failure.stage() + " " + failure.errnoName());
            next();
        }
    }

    @ParameterizedTest
    @RequiresRoot
    @CsvSource({"setsid", "keyctl", "chdir", "set_mempolicy"})
    void launcherThatIsKilledSaysSoAndTheNextCallWorks(String call) throws Exception {
        assertEquals("DIED EINTR 9\nnext 0\n", outcome(call, "signal=KILL", DiedMain.class));
    }

    /** In the JVM some of these calls are made too, but not between start and end of the one line that is traced. */
    private static String outcome(String call, String fault, Class<?> main) throws Exception {
        String name = call.split(":")[0];
        String when = call.contains(":") ? ":" + call.split(":")[1] : ":when=1";
        return new Jvm()
                .option("-Dtest.strace=strace -qq -f -o /dev/null -e trace=" + name + " -e inject=" + name + ":" + fault
                        + when + " -p ")
                .run(main)
                .requireSuccess();
    }

    /** Has strace attach to this JVM, does something, and has it detach. */
    private static void traced(Runnable action) throws Exception {
        UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC); // everything loaded
        String pid = Long.toString(ProcessHandle.current().pid());
        String[] command = (System.getProperty("test.strace") + pid).split(" ");
        Process strace = new ProcessBuilder(command).inheritIO().start();
        Path status = Path.of("/proc/thread-self/status");
        while (java.nio.file.Files.readAllLines(status).contains("TracerPid:\t0")) {
            if (!strace.isAlive()) {
                throw new AssertionError("strace ended with " + strace.exitValue());
            }
            Thread.sleep(5);
        }
        try {
            action.run();
        } finally {
            strace.destroy();
            strace.waitFor();
        }
    }

    private static UmhException failure(UmhWait wait) {
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        int retval = UsermodeHelper.exec(info, wait);
        return info.failure().orElseThrow(() -> new AssertionError("answered " + retval));
    }

    private static void next() throws Exception {
        System.out.println("next " + UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC));
        Leaks.assertNothingLeft(Leaks.descriptors());
    }

    /** Prints the stage at which a call failed. */
    static final class FailMain {
        public static void main(String[] arguments) throws Exception {
            traced(() -> {
                UmhException failure = failure(UmhWait.EXEC);
                System.out.println(failure.stage() + " " + failure.errnoName());
            });
            next();
        }
    }

    /** Prints who killed the launcher. */
    static final class DiedMain {
        public static void main(String[] arguments) throws Exception {
            traced(() -> {
                UmhException failure = failure(UmhWait.EXEC);
                System.out.println(failure.stage() + " " + failure.errnoName() + " " + failure.detail());
            });
            next();
        }
    }

    /** Prints what a helper was not given. */
    static final class KeptMain {
        public static void main(String[] arguments) throws Exception {
            traced(() -> {
                try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                    System.out.println("kept " + helper.kept());
                } catch (UmhException e) {
                    System.out.println(e.getMessage());
                }
            });
        }
    }
}
