// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.umh4j.internal.Stages;
import org.umh4j.support.Ignoring;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Strace;

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
        "keyctl, EDQUOT, KEYRING",
        "keyctl, ENOMEM, KEYRING",
        "execve, EIO, EXEC",
    })
    void requiredStepThatIsRefusedFailsAtItsStage(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, ""));
    }

    /** What a call asks for can't be left out either. */
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
    void stepThatWasAskedForFailsAtItsStage(String call, String errno, String asked, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, asked));
    }

    /** Calls that ask for one thing each. */
    private static SubprocessInfo asking(String what) {
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        Cred cred = Cred.unchanged();
        CapabilitySet few = CapabilitySet.of(Capability.CAP_KILL);
        return switch (what) {
            case "" -> info;
            case "oomScoreAdj" -> info.limits(Limits.kernel().oomScoreAdj(7));
            case "coredumpFilter" -> info.limits(Limits.kernel().coredumpFilter(1));
            case "rlimit" -> info.limits(Limits.kernel().rlimit(Resource.CPU, 100));
            case "nice" -> info.sched(Sched.kernel().nice(5));
            case "batch" -> info.sched(Sched.kernel().batch());
            case "ioprio" -> info.sched(Sched.kernel().ioprio(Sched.IoClass.IDLE, 0));
            case "affinity" -> info.sched(Sched.kernel().affinity(0));
            case "timerSlack" -> info.sched(Sched.kernel().timerSlack(java.time.Duration.ofNanos(1)));
            case "personality" -> info.personality(0x0040000);
            case "join" -> info.namespaces(Namespaces.inherited().join(1, Namespace.UTS));
            case "uts" -> info.namespaces(Namespaces.inherited().unshare(Namespace.UTS));
            case "mount" -> info.namespaces(Namespaces.inherited().unshare(Namespace.MOUNT));
            case "pid" -> info.namespaces(Namespaces.inherited().unshare(Namespace.PID));
            case "maps" -> info.namespaces(Namespaces.inherited().mapUids(0, 1000, 10).mapGids(0, 1000, 10))
                    .cred(cred.uid(0).gid(0));
            case "group" -> info.session(Session.ownGroup());
            case "terminal" -> info.session(Session.terminal(0));
            case "root" -> info.fs(Fs.kernel().root("/usr"));
            case "files" -> info.files(Files.none().devNull(9));
            case "keyring" -> info.cred(cred.newKeyring("umh4j-test"));
            case "bounding" -> info.cred(cred.bounding(few));
            case "groups" -> info.cred(cred.groups(1, 2));
            case "gid" -> info.cred(cred.gid(65_534));
            case "uid" -> info.cred(cred.uid(65_534).gid(65_534));
            case "capabilities" -> info.cred(cred.uid(65_534).gid(65_534).permitted(few).inheritable(few).ambient(few));
            case "securebits" -> info.cred(cred.securebits(Securebit.NOROOT));
            case "noNewPrivs" -> info.cred(cred.noNewPrivs());
            case "signals" -> info.signals(Ignoring.everySignal());
            case "parentDeath" -> info.signals(Signals.kernel().parentDeath(Signal.KILL));
            case "landlock" -> info.cred(cred.noNewPrivs()).sandbox(Sandbox.none().readOnly("/"));
            case "seccomp" -> info.cred(cred.noNewPrivs()).sandbox(Sandbox.none().seccomp(ALLOW_ALL));
            default -> throw new IllegalArgumentException(what);
        };
    }

    /** {@code BPF_RET | BPF_K, SECCOMP_RET_ALLOW}. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    /** What the host may refuse. The helper starts all the same, and says what it was not given. */
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
    void stepThatMayBeRefusedIsKeptAndTold(String call, String errno, String stage) throws Exception {
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
    void parentAndChildStagesFailAsThemselves(String call, String errno, String stage) throws Exception {
        assertEquals(stage + " " + errno + "\nnext 0\n", outcome(call, "error=" + errno, FailMain.class, ""));
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
        assertEquals("KILLED EINTR 9\nnext 0\n", outcome(call, "signal=KILL", KilledMain.class, ""));
    }

    /** A user that the launcher has become may do that. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({"setsid, uid", "setresuid, uid", "rt_sigaction:when=40, signals", "setsid, parentDeath"})
    void launcherThatIsStoppedIsLetGoOn(String call, String asked) throws Exception {
        assertEquals("kept []\n", outcome(call, "signal=STOP", KeptMain.class, asked));
    }

    @Test
    @RequiresRoot
    void launcherThatIsStoppedAgainAndAgainIsKilledAndTheNextCallWorks() throws Exception {
        assertEquals("KILLED EINTR 9\nnext 0\n", outcome("rt_sigaction:when=1+", "signal=STOP", KilledMain.class, "signals"));
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
                    return "kept " + helper.kept();
                } catch (UmhException e) {
                    return e.getMessage();
                }
            });
        }
    }
}
