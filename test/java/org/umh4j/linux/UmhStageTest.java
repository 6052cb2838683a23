// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.StageNumbers;
import org.umh4j.support.Ignoring;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Strace;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Sched;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/** Each stage fails with its own name. strace makes one system call of the launcher fail, from outside. */
final class UmhStageTest {
    @Test
    void stagesAreTheSameInJavaAndC() {
        List<String> java = Arrays.stream(UmhStage.values()).map(Enum::name).collect(Collectors.toList());
        assertEquals(StageNumbers.namesInC(), java);
    }

    @ParameterizedTest
    @EnumSource(UmhStage.class)
    void everyStageIsExplainedInTheErrorsPage(UmhStage stage) throws Exception {
        String page = Files.readString(Path.of("docs/errors.md"));
        assertTrue(page.contains("| `" + stage + "` |"), () -> stage + " is not in docs/errors.md");
    }

    /** Required steps. If the kernel refuses one, the launcher ends and reports stage and errno. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "setsid, EPERM, SESSION",
        "chdir, EACCES, CWD",
        "capget, EPERM, CAPABILITIES",
        "keyctl, EDQUOT, KEYRING",
        "keyctl, ENOMEM, KEYRING",
        "execve, EIO, EXEC",
    })
    void refusedRequiredStepFailsAtItsStage(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, ""));
    }

    /** Steps that a task requests are required. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "write, EACCES, oomScoreAdj, OOM_SCORE_ADJ",
        "write, ENOENT, coredumpFilter, COREDUMP_FILTER",
        "setpriority, EACCES, nice, NICE",
        "sched_setattr, EPERM, batch, SCHED",
        "ioprio_set, EPERM, ioprio, IOPRIO",
        "sched_setaffinity, EINVAL, affinity, AFFINITY",
        "prctl:when=4, EINVAL, timerSlack, TIMER_SLACK",
        "prlimit64, EPERM, rlimit, RLIMIT",
        "personality:when=2, EINVAL, personality, PERSONALITY",
        "setns, EPERM, join, JOIN",
        "unshare, ENOSPC, uts, UNSHARE",
        "mount, EACCES, mount, UNSHARE",
        "pipe2, EMFILE, pid, PID_NAMESPACE",
        "pipe2, EMFILE, maps, UNSHARE",
        "setpgid, EPERM, group, SESSION",
        "ioctl, EPERM, terminal, TERMINAL",
        "keyctl, EACCES, keyring, KEYRING",
        "chroot, EPERM, root, ROOT",
        "fcntl, EMFILE, files, DESCRIPTORS",
        "prctl:when=6, EPERM, bounding, BOUNDING", // PR_CAPBSET_READ: nothing would be dropped
        "prctl:when=7, EPERM, bounding, BOUNDING",
        "setgroups, EPERM, groups, GROUPS",
        "setresgid, EPERM, gid, GID",
        "setresuid, EAGAIN, uid, UID",
        "getresuid:when=2, EFAULT, uid, UID",
        "capset, EPERM, capabilities, CAPABILITIES",
        "prctl:when=11, EINVAL, capabilities, CAPABILITIES",
        "prctl:when=12, EPERM, capabilities, AMBIENT",
        "capset:when=2, EPERM, capabilities, EFFECTIVE",
        "prctl:when=7, EPERM, securebits, SECUREBITS",
        "prctl:when=6, EINVAL, parentDeath, PARENT_DEATH",
        "prctl:when=7, EINVAL, noNewPrivs, NO_NEW_PRIVS",
        "rt_sigaction:when=40, EINVAL, signals, SIGNALS",
        "landlock_add_rule, EINVAL, landlock, LANDLOCK",
        "landlock_restrict_self, E2BIG, landlock, LANDLOCK",
        "seccomp, EFAULT, seccomp, SECCOMP",
    })
    void refusedRequestedStepFailsAtItsStage(String call, String errno, String asked, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, asked));
    }

    /** Calls that ask for one thing each. */
    private static SubprocessInfo asking(String what) {
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        Cred cred = Cred.defaults();
        CapabilitySet few = CapabilitySet.of(Capability.CAP_KILL);
        return switch (what) {
            case "" -> info;
            case "oomScoreAdj" -> info.task(info.task().limits(Limits.defaults().oomScoreAdj(7)));
            case "coredumpFilter" ->
                info.task(info.task().limits(Limits.defaults().coredumpFilter(1)));
            case "rlimit" -> info.task(info.task().limits(Limits.defaults().rlimit(Rlimit.CPU, 100)));
            case "nice" -> info.task(info.task().sched(Sched.defaults().nice(5)));
            case "batch" -> info.task(info.task().sched(Sched.defaults().batch()));
            case "ioprio" -> info.task(info.task().sched(Sched.defaults().ioprio(Sched.IoClass.IDLE, 0)));
            case "affinity" -> info.task(info.task().sched(Sched.defaults().affinity(0)));
            case "timerSlack" ->
                info.task(info.task().sched(Sched.defaults().timerSlack(java.time.Duration.ofNanos(1))));
            case "personality" -> info.task(info.task().personality(0x0040000));
            case "join" ->
                info.task(info.task().namespaces(NamespaceSetup.defaults().join(1, Namespace.UTS)));
            case "uts" ->
                info.task(info.task().namespaces(NamespaceSetup.defaults().unshare(Namespace.UTS)));
            case "mount" ->
                info.task(info.task().namespaces(NamespaceSetup.defaults().unshare(Namespace.MOUNT)));
            case "pid" ->
                info.task(info.task().namespaces(NamespaceSetup.defaults().unshare(Namespace.PID)));
            case "maps" ->
                info.task(info.task()
                        .namespaces(
                                NamespaceSetup.defaults().mapUids(0, 1000, 10).mapGids(0, 1000, 10))
                        .cred(cred.uid(0).gid(0)));
            case "group" -> info.task(info.task().session(Session.newGroup()));
            case "terminal" -> info.task(info.task().session(Session.terminal(0)));
            case "root" -> info.task(info.task().fs(Fs.defaults().root("/usr")));
            case "files" -> info.task(info.task().descriptors(Descriptors.none().devNull(9)));
            case "keyring" -> info.task(info.task().cred(cred.newKeyring("umh4j-test")));
            case "bounding" -> info.task(info.task().cred(cred.bounding(few)));
            case "groups" -> info.task(info.task().cred(cred.groups(1, 2)));
            case "gid" -> info.task(info.task().cred(cred.gid(65_534)));
            case "uid" -> info.task(info.task().cred(cred.uid(65_534).gid(65_534)));
            case "capabilities" ->
                info.task(info.task()
                        .cred(cred.uid(65_534)
                                .gid(65_534)
                                .permitted(few)
                                .inheritable(few)
                                .ambient(few)));
            case "securebits" -> info.task(info.task().cred(cred.securebits(Securebit.NOROOT)));
            case "noNewPrivs" -> info.task(info.task().cred(cred.noNewPrivs()));
            case "signals" -> info.task(info.task().signals(Ignoring.everySignal()));
            case "parentDeath" ->
                info.task(info.task().signals(SignalState.defaults().parentDeathSignal(Signal.KILL)));
            case "landlock" ->
                info.task(info.task()
                        .cred(cred.noNewPrivs())
                        .sandbox(Sandbox.defaults().readOnly("/")));
            case "seccomp" ->
                info.task(info.task()
                        .cred(cred.noNewPrivs())
                        .sandbox(Sandbox.defaults().seccomp(ALLOW_ALL)));
            default -> throw new IllegalArgumentException(what);
        };
    }

    /** {@code BPF_RET | BPF_K, SECCOMP_RET_ALLOW}. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    /** Optional steps. If the host refuses one, the helper starts, and the step is reported as unapplied. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "keyctl, EPERM, KEYRING",
        "setpriority, EACCES, NICE",
        "sched_setattr, EPERM, SCHED",
        "sched_setaffinity, EINVAL, AFFINITY",
        "set_mempolicy, EPERM, MEMPOLICY",
        "personality:when=1+, EPERM, PERSONALITY",
    })
    void refusedOptionalStepIsReportedAsUnapplied(String call, String errno, String stage) throws Exception {
        assertEquals("kept [" + stage + "]\n", outcome(call, "error=" + errno, KeptMain.class, ""));
    }

    /** On the JVM's side of the process. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "socketpair, EMFILE, SOCKET",
        "sendmsg, ENOBUFS, SOCKET",
        "close_range, ENOMEM, CLOSE_FDS",
        "execveat, EACCES, LAUNCH",
    })
    void stagesOfParentAndChildFailAsThemselves(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, ""));
    }

    @Test
    void tooManyDescriptorsFailAtPlan() throws Exception {
        String out = new Jvm()
                .under("prlimit", "--nofile=200:200")
                .run(ManyFilesMain.class)
                .requireSuccess();
        assertEquals("PLAN EMFILE\nnext 0\n", out);
    }

    /** Sends as many descriptors as the limit allows; the launcher already has one. */
    static final class ManyFilesMain {
        public static void main(String[] arguments) throws Exception {
            Descriptors files = Descriptors.none();
            for (int target = 0; target < 200; target++) {
                files = files.inherit(target, 0);
            }
            SubprocessInfo info =
                    ProbeProgram.doing("exit", "0").task(Task.defaults().descriptors(files));
            UsermodeHelper.exec(info, UmhWait.PROC);
            UmhException failure = info.failure().orElseThrow();
            System.out.println(failure.stage() + " " + failure.errnoName());
            next();
        }
    }

    @ParameterizedTest
    @RequiresRoot
    @CsvSource({"setsid", "keyctl", "chdir", "set_mempolicy"})
    void killedLauncherIsReportedAndTheNextCallWorks(String call) throws Exception {
        assertEquals("KILLED EINTR 9\nnext 0\n", outcome(call, "signal=KILL", KilledMain.class, ""));
    }

    /** A user that the launcher has become may do that. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({"setsid, uid", "setresuid, uid", "rt_sigaction:when=40, signals", "setsid, parentDeath"})
    void stoppedLauncherIsContinued(String call, String asked) throws Exception {
        assertEquals("kept []\n", outcome(call, "signal=STOP", KeptMain.class, asked));
    }

    @Test
    @RequiresRoot
    void repeatedlyStoppedLauncherIsKilled() throws Exception {
        assertEquals(
                "KILLED EINTR 9\nnext 0\n",
                outcome("rt_sigaction:when=1+", "signal=STOP", KilledMain.class, "signals"));
    }

    /** In the JVM some of these calls are made too, but not between start and end of the one line that is traced. */
    private static String outcome(String call, String fault, Class<?> main, String asked) throws Exception {
        return new Jvm().run(main, call, fault, asked).requireSuccess();
    }

    /** Does something under the fault that was asked for, and prints what came of it when that is over. */
    private static void traced(String[] fault, Callable<String> action) throws Exception {
        for (String asked : new String[] {"", "landlock", "seccomp", "parentDeath", "maps", "join", "files"}) {
            UsermodeHelper.exec(asking(asked), UmhWait.EXEC); // everything loaded
        }
        System.out.println(Strace.inject(fault[0], fault[1], action));
    }

    private static UmhException failure(String asked) {
        SubprocessInfo info = asking(asked);
        int retval = UsermodeHelper.exec(info, UmhWait.EXEC);
        return info.failure().orElseThrow(() -> new AssertionError("answered " + retval));
    }

    private static void next() throws Exception {
        System.out.println("next " + UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC));
        TreeMap<String, Long> descriptors = Leaks.descriptors();
        descriptors.keySet().removeIf(kind -> kind.contains("pidfd")); // of a helper that is just on its way out
        Leaks.assertNothingLeft(descriptors);
    }

    /** Prints the stage at which a call failed. */
    static final class FailMain {
        public static void main(String[] arguments) throws Exception {
            traced(arguments, () -> {
                UmhException failure = failure(arguments[2]);
                return failure.stage() + " " + failure.errnoName();
            });
            next();
        }
    }

    /** Prints who killed the launcher. */
    static final class KilledMain {
        public static void main(String[] arguments) throws Exception {
            traced(arguments, () -> {
                UmhException failure = failure(arguments[2]);
                return failure.stage() + " " + failure.errnoName() + " " + failure.detail();
            });
            next();
        }
    }

    /** Prints what a helper was not given. */
    static final class KeptMain {
        public static void main(String[] arguments) throws Exception {
            traced(arguments, () -> {
                try (Helper helper = UsermodeHelper.start(asking(arguments[2]))) {
                    return "kept " + helper.unapplied();
                } catch (UmhException e) {
                    return e.getMessage();
                }
            });
        }
    }
}
