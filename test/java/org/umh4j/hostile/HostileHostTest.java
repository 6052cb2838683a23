// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.Signal;
import org.umh4j.support.BasicUse;
import org.umh4j.support.EntriesMain;
import org.umh4j.support.EveryUse;
import org.umh4j.support.Filter;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * On a host that lacks or refuses something, the results are the same, or one error reports what is missing, and
 * {@code umh doctor} names it. This library starts the JVMs with filters, credentials and namespaces, as a strict
 * service manager would.
 */
@ExtendWith(Leaks.class)
final class HostileHostTest {
    private static final String ALL_OF_THEM = "clone3,close_range,execveat,pidfd_info,personality,unshare,epoll";

    /** Starts another JVM as a helper: its standard output and error are the result's. */
    private static RunResult jvm(Jvm jvm, SubprocessInfo like, Class<?> main, String... arguments) throws Exception {
        List<String> command = jvm.command(main, arguments);
        SubprocessInfo info = SubprocessInfo.of(
                        command.get(0), command.toArray(String[]::new), new String[] {"HOME=/", "PATH=/usr/bin:/bin"})
                .task(like.task());
        return UsermodeHelper.run(info, Duration.ofSeconds(60));
    }

    private static SubprocessInfo plain() {
        return ProbeProgram.doing("exit", "0");
    }

    private static SubprocessInfo refusing(String call, String errno) throws Exception {
        return plain().task(Task.defaults()
                .cred(Cred.defaults().noNewPrivs())
                .sandbox(Sandbox.defaults()
                        .seccomp(Filter.refusing(call, Errno.valueOf(errno).number()))));
    }

    private static void assertAnswersAreTheSame(SubprocessInfo like) throws Exception {
        assertEquals(
                BasicUse.ANSWERS,
                jvm(new Jvm(), like, BasicUse.class).requireSuccess().stdoutText());
    }

    private static void assertDoctorNames(SubprocessInfo like, String what) throws Exception {
        RunResult doctor = jvm(new Jvm(), like, org.umh4j.cli.Main.class, "doctor");
        assertTrue(doctor.stdoutText().contains(what), doctor.toString() + doctor.stdoutText() + doctor.stderrText());
    }

    /** Not clone3 with EPERM: with that answer libc itself can't start a thread, and no JVM lives. */
    @ParameterizedTest
    @CsvSource({
        "clone3, ENOSYS, clone3 (clone is used)",
        "close_range, ENOSYS, close_range (the time",
        "close_range, EPERM, close_range (the time",
        "execveat, ENOSYS, execveat (/proc/self/fd is used)",
        "execveat, EPERM, a seccomp filter",
        "personality, ENOSYS, personality (a start takes",
        "personality, EPERM, personality (a start takes",
        "keyctl, ENOSYS, KEYRING",
        "keyctl, EPERM, KEYRING",
        "epoll_create1, EPERM, epoll (exits and pipes",
        "epoll_ctl, ENOSYS, epoll (exits and pipes",
        "epoll_wait, ENOSYS, a seccomp filter",
        "waitid, ENOSYS, a seccomp filter",
        "waitid, EPERM, a seccomp filter",
        "poll, EPERM, a seccomp filter",
        "pidfd_open, ENOSYS, a seccomp filter",
        "pidfd_open, EPERM, a seccomp filter",
    })
    void filteredSyscallIsReplaced(String call, String errno, String named) throws Exception {
        SubprocessInfo like = refusing(call, errno);
        assertAnswersAreTheSame(like);
        assertDoctorNames(like, named);
    }

    @ParameterizedTest
    @CsvSource({
        "memfd_create, ENOSYS, 38, name its file by -Dorg.umh4j.launcher.path",
        "memfd_create, EPERM, 1, name its file by -Dorg.umh4j.launcher.path",
        "memfd_create, ENOMEM, 12, memory",
        "memfd_create, EMFILE, 24, ulimit -n",
    })
    void unpreparedLauncherIsOneErrorWithItsErrno(String call, String errno, String number, String remedy)
            throws Exception {
        SubprocessInfo like = refusing(call, errno);
        String error = "the launcher can't be loaded: errno " + number;
        RunResult result = jvm(new Jvm(), like, BasicUse.class);
        assertTrue(result.stderrText().contains(error) && result.stderrText().contains(remedy), result.stderrText());
        RunResult entries = jvm(new Jvm(), like, EntriesMain.class).requireSuccess();
        assertTrue(
                entries.stdoutText().lines().count() == 1
                        && entries.stdoutText().contains(error),
                entries.stdoutText());
        assertDoctorNames(like, error);
    }

    /** The number of a child that was not reaped is its own. */
    @ParameterizedTest
    @ValueSource(strings = {"ENOSYS", "EPERM"})
    void filteredSignalIsSentByTheOlderSyscall(String errno) throws Exception {
        SubprocessInfo like = refusing("pidfd_send_signal", errno);
        assertEquals(
                "sent\n",
                jvm(new Jvm(), like, SignalMain.class).requireSuccess().stdoutText());
        assertDoctorNames(like, "a seccomp filter");
    }

    /** Sends a signal, and lets the helper end when that fails. */
    static final class SignalMain {
        public static void main(String[] arguments) throws Exception {
            SubprocessInfo info = SubprocessInfo.of("/bin/cat", new String[] {"cat"}, null);
            try (Helper helper = UsermodeHelper.start(
                    info.task(info.task().descriptors(Descriptors.none().pipeFromJvm(0))))) {
                try {
                    helper.kill(Signal.TERM);
                    System.out.println("sent");
                } catch (UmhException e) {
                    System.out.println(e.stage() + " " + e.errnoName());
                }
                helper.stdin().close();
                helper.waitFor();
            }
        }
    }

    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"noNewPrivs", "bounding", "securebits", "unprivileged", "userNamespace"})
    void stricterServiceManagerChangesNoResult(String kind) throws Exception {
        assertAnswersAreTheSame(strict(kind));
    }

    private static SubprocessInfo strict(String kind) {
        Cred cred = Cred.defaults();
        CapabilitySet few = CapabilitySet.of(Capability.CAP_KILL);
        return switch (kind) {
            case "noNewPrivs" -> plain().task(Task.defaults().cred(cred.noNewPrivs()));
            case "bounding" -> plain().task(Task.defaults().cred(cred.bounding(few)));
            case "securebits" ->
                plain().task(Task.defaults()
                        .cred(cred.securebits(
                                Securebit.NOROOT,
                                Securebit.NOROOT_LOCKED,
                                Securebit.KEEP_CAPS_LOCKED,
                                Securebit.NO_SETUID_FIXUP_LOCKED,
                                Securebit.NO_CAP_AMBIENT_RAISE_LOCKED)));
            case "unprivileged" ->
                plain().task(Task.defaults()
                        .cred(cred.permitted(CapabilitySet.of()).bounding(CapabilitySet.of())));
            case "userNamespace" ->
                plain().task(Task.defaults()
                        .namespaces(NamespaceSetup.defaults().mapRoot()));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    @ParameterizedTest
    @RequiresRoot
    @CsvSource({
        "noNewPrivs, no_new_privs: set-user-ID programs",
        "bounding, a bounding set without",
        "securebits, without any capability",
    })
    void doctorNamesWhatTheServiceManagerTook(String kind, String named) throws Exception {
        assertDoctorNames(strict(kind), named);
    }

    /** The paths of older kernels, on this one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "clone3",
                "close_range",
                "execveat",
                "pidfd_info",
                "personality",
                "close_range,unshare",
                "epoll",
                ALL_OF_THEM,
            })
    void olderKernelHasTheSameResults(String without) throws Exception {
        Jvm jvm = new Jvm().option("-Dorg.umh4j.without=" + without);
        assertEquals(BasicUse.ANSWERS, jvm.run(BasicUse.class).requireSuccess());
    }

    @Test
    @RequiresRoot
    void olderKernelLeaksNothing() throws Exception {
        String without = "-Dorg.umh4j.without=" + ALL_OF_THEM;
        String out = new Jvm().option(without).run(EveryUse.class).requireSuccess();
        assertEquals(String.join("\n", EveryUse.EXPECTED), out);
    }

    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"clone3", "close_range", "clone3,close_range", "clone3,close_range,unshare"})
    void hostWithoutProcHasTheSameResults(String without) throws Exception {
        Jvm jvm = new Jvm().withoutProc().option("-Dorg.umh4j.without=" + without);
        assertEquals(BasicUse.ANSWERS, jvm.run(BasicUse.class).requireSuccess());
    }

    /** Its limit was lowered since: it bounds no search for descriptors. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource({"close_range, true", "close_range, false", "'close_range,unshare', true", "'close_range,unshare', false"
    })
    void descriptorAboveTheHardLimitIsClosed(String without, boolean proc) throws Exception {
        Jvm jvm = (proc ? new Jvm() : new Jvm().withoutProc())
                .option("-Dorg.umh4j.without=" + without)
                .under("bash", "-c", "exec 5000</etc/passwd && ulimit -n 1000 && exec \"$0\" \"$@\"");
        assertEquals("EBADF EBADF\n", jvm.run(HighDescriptorMain.class).requireSuccess());
    }

    /**
     * Has helpers ask for descriptor 5000: fcntl(2) with F_GETFD. Its number is too high for this JVM to open it
     * again.
     */
    static final class HighDescriptorMain {
        public static void main(String[] arguments) {
            System.out.println(errno() + " " + errno());
        }

        private static Errno errno() {
            int retval = UsermodeHelper.exec(ProbeProgram.doing("errno", "72", "5000", "1"), UmhWait.PROC);
            return Errno.of(retval >> 8);
        }
    }

    /** Without /proc the JVM can't list ignored signals, so the launcher resets each signal. */
    @Test
    @RequiresRoot
    void signalsAreResetWithoutProc() throws Exception {
        Jvm jvm = new Jvm().withoutProc().under("env", "--ignore-signal=USR1,RTMAX");
        assertEquals("10 64\n", jvm.run(SignalledMain.class).requireSuccess());
    }

    /** Has helpers kill themselves by signals that this JVM may ignore. */
    static final class SignalledMain {
        public static void main(String[] arguments) {
            int user = UsermodeHelper.exec(ProbeProgram.doing("kill", "10"), UmhWait.PROC);
            int realTime = UsermodeHelper.exec(ProbeProgram.doing("kill", "64"), UmhWait.PROC);
            System.out.println(user + " " + realTime);
        }
    }

    /** The JVM's ignored signals can't be read there. */
    @Test
    @RequiresRoot
    void hostWithoutProcIgnoresOnlyTheRequestedSignals() throws Exception {
        Jvm jvm = new Jvm().withoutProc().under("env", "--ignore-signal=HUP,USR1");
        assertEquals("768 10\n", jvm.run(IgnoringMain.class).requireSuccess());
    }

    /** Helpers send themselves signals, one of which the task ignores. */
    static final class IgnoringMain {
        public static void main(String[] arguments) {
            SignalState ignoring = SignalState.defaults().ignore(Signal.INT.number());
            SubprocessInfo asked = ProbeProgram.doing("kill", "2", "exit", "3")
                    .task(Task.defaults().signals(ignoring));
            SubprocessInfo other = ProbeProgram.doing("kill", "10", "exit", "3")
                    .task(Task.defaults().signals(ignoring));
            System.out.println(
                    UsermodeHelper.exec(asked, UmhWait.PROC) + " " + UsermodeHelper.exec(other, UmhWait.PROC));
        }
    }

    /** The remaining way to execute a memfd is /proc/self/fd. */
    @Test
    @RequiresRoot
    void hostWithoutProcAndExecveatFailsAtLaunch() throws Exception {
        Jvm.Outcome outcome =
                new Jvm().withoutProc().option("-Dorg.umh4j.without=execveat").run(BasicUse.class);
        assertTrue(outcome.err().contains("LAUNCH"), outcome.err());
        assertTrue(outcome.err().contains("ENOSYS"), outcome.err());
    }

    /** Numbers in the /proc of an outer pid namespace are other processes' here. */
    @ParameterizedTest
    @RequiresRoot
    @ValueSource(booleans = {false, true})
    void sessionMembersAreSearchedOnlyInTheJvmsProc(boolean mounted) throws Exception {
        Jvm jvm = mounted ? new Jvm().under("unshare", "--pid", "--fork") : new Jvm().withoutProc();
        assertEquals(
                "KILL ENOENT, killed by SIGKILL\n", jvm.run(SessionMain.class).requireSuccess());
    }

    /** Kills the session of a helper. */
    static final class SessionMain {
        public static void main(String[] arguments) throws Exception {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                UmhException e = assertThrows(UmhException.class, () -> helper.kill(KillScope.SESSION, Signal.KILL));
                System.out.println(e.stage() + " " + e.errnoName() + ", " + helper.waitFor());
            }
        }
    }

    @Test
    @RequiresRoot
    void doctorReportsAMissingProc() throws Exception {
        Jvm.Outcome doctor = new Jvm().withoutProc().run(org.umh4j.cli.Main.class, "doctor");
        assertTrue(doctor.out().contains("/proc") && doctor.out().contains("not mounted"), doctor.toString());
    }

    @Test
    @RequiresRoot
    void readOnlyHostHasTheSameResults() throws Exception {
        String shell = "mount -o remount,bind,ro / 2>/dev/null || mount --bind / / && mount -o remount,bind,ro /;"
                + " mount -t tmpfs -o mode=1777 none /run; exec \"$0\" \"$@\"";
        Jvm jvm = new Jvm()
                .under("unshare", "--mount", "/bin/sh", "-c", shell)
                .option("-Djava.io.tmpdir=/run", "-Dorg.umh4j.library.tmpdir=/run");
        assertEquals(BasicUse.ANSWERS, jvm.run(BasicUse.class).requireSuccess());
    }

    /** As few descriptors as a JVM itself can live with; there is no half-loaded library below that. */
    @ParameterizedTest
    @ValueSource(ints = {20, 24, 28, 32, 40})
    void fewDescriptorsSufficeOrAreOneError(int descriptors) throws Exception {
        Jvm.Outcome outcome =
                new Jvm().under("prlimit", "--nofile=" + descriptors).run(BasicUse.class);
        if (!outcome.out().equals(BasicUse.ANSWERS)) {
            assertTrue(
                    outcome.exitCode() == 1 && outcome.err().matches("(?s).*(EMFILE|Too many open files|errno 24).*"),
                    outcome.toString());
        }
    }

    /**
     * From so few descriptors that a JVM can just start. Test classes are in a directory: each load takes a
     * descriptor.
     */
    @ParameterizedTest
    @ValueSource(ints = {19, 22, 24})
    void fewDescriptorsSufficeOrEachCallNamesTheLimit(int descriptors) throws Exception {
        Jvm.Outcome outcome = new Jvm()
                .shortLived()
                .under("prlimit", "--nofile=" + descriptors)
                .run(EntriesMain.class);
        String output = outcome.requireSuccess();
        boolean enough = output.contains("said nothing") && !output.contains("Error");
        assertTrue(enough || (output.lines().count() == 1 && output.contains("ulimit -n")), outcome.toString());
    }

    /** As another user: root is not counted. */
    @Test
    @RequiresRoot
    void processLimitFailsWithEagainAtClone() throws Exception {
        assertEquals(
                "CLONE EAGAIN\nnext 0\n",
                new Jvm().asNobody().run(ProcessLimitMain.class).requireSuccess());
    }

    /** Another process lowers this one's limit, and raises it again when told. */
    static final class ProcessLimitMain {
        public static void main(String[] arguments) throws Exception {
            UsermodeHelper.start(plain()).close(); // the thread that waits for the limiting helper exists by now
            String[] argv = {
                "sh", "-c", "prlimit --pid $PPID --nproc=1: && echo; read x; exec prlimit --pid $PPID --nproc=9999:"
            };
            SubprocessInfo limiting = SubprocessInfo.of("/bin/sh", argv, UsermodeHelper.kernelEnvironment())
                    .task(Task.defaults()
                            .descriptors(Descriptors.none()
                                    .pipeFromJvm(0)
                                    .pipeToJvm(1)
                                    .inherit(2, 2)));
            SubprocessInfo info = plain();
            try (Helper limiter = UsermodeHelper.start(limiting)) {
                limiter.stdout().read();
                UsermodeHelper.exec(info, UmhWait.PROC);
                limiter.stdin().write('\n');
                limiter.stdin().flush();
                limiter.waitFor();
            }
            UmhException failure = info.failure().orElseThrow();
            System.out.println(failure.stage() + " " + failure.errnoName());
            System.out.println("next " + UsermodeHelper.exec(plain(), UmhWait.PROC));
        }
    }
}
