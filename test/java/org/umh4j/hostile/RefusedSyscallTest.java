// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.OwnCgroup;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Sched;
import org.umh4j.task.Task;

/**
 * A tracer counts the launcher's system calls and makes each one fail in turn, with an errno that no code handles.
 * Either the launch fails at the stage of the call with that errno, or it succeeds and reports the unapplied step, or
 * the call has no effect on the result. Cleanup runs once, and nothing leaks.
 */
@RequiresRoot
final class RefusedSyscallTest {
    private static final int EIO = Errno.EIO.number();

    /** The launcher, and one that it forks where there is a new user or pid namespace. */
    private static final int PROCESSES = 2;

    /** The purpose of each system call: the file of openat(2), the size of read(2), the option of prctl(2). */
    private static final Map<String, String> STAGES = Map.ofEntries(
            entry("getppid", "PLAN"),
            entry("recvmsg", "PLAN"),
            entry("openat cgroup.procs", "CGROUP"),
            entry("openat oom_score_adj", "OOM_SCORE_ADJ"),
            entry("openat coredump_filter", "COREDUMP_FILTER"),
            entry("openat self", "ID_MAP"),
            entry("openat setgroups", "ID_MAP"),
            entry("openat uid_map", "ID_MAP"),
            entry("openat gid_map", "ID_MAP"),
            entry("write", "CGROUP OOM_SCORE_ADJ COREDUMP_FILTER ID_MAP PID_NAMESPACE"),
            entry("setpriority", "NICE"),
            entry("sched_setattr", "SCHED"),
            entry("ioprio_set", "IOPRIO"),
            entry("sched_setaffinity", "AFFINITY"),
            entry("set_mempolicy", "MEMPOLICY"),
            entry("prctl 4", "PLAN GID UID"),
            entry("prctl 29", "TIMER_SLACK"),
            entry("prlimit64", "RLIMIT NOFILE NPROC"),
            entry("personality", "PERSONALITY"),
            entry("prctl 41", "THP"),
            entry("setns", "JOIN"),
            entry("unshare", "UNSHARE"),
            entry("mount", "UNSHARE"),
            entry("pipe2", "UNSHARE PID_NAMESPACE"),
            entry("clone3", "UNSHARE PID_NAMESPACE"),
            entry("wait4", "ID_MAP"),
            entry("read 1", "ID_MAP PID_NAMESPACE"),
            entry("sendmsg", "PID_NAMESPACE"),
            entry("setsid", "SESSION"),
            entry("keyctl", "KEYRING"),
            entry("chroot", "ROOT"),
            entry("chdir", "ROOT CWD"),
            entry("openat2", "CWD"),
            entry("fchdir", "CWD"),
            entry("getcwd", "CWD"),
            entry("fcntl", "DESCRIPTORS"),
            entry("dup3", "DESCRIPTORS"),
            entry("close", "DESCRIPTORS"),
            entry("prctl 23", "BOUNDING"),
            entry("prctl 24", "BOUNDING"),
            entry("setgroups", "GROUPS"),
            entry("setresgid", "GID"),
            entry("getresgid", "GID"),
            entry("setresuid", "UID"),
            entry("getresuid", "UID"),
            entry("prctl 27", "UID"),
            entry("prctl 8", "UID"),
            entry("capget", "UID CAPABILITIES CWD"),
            entry("capset", "CAPABILITIES EFFECTIVE"),
            entry("prctl 47 4", "CAPABILITIES"),
            entry("prctl 47 2", "AMBIENT"),
            entry("prctl 28", "SECUREBITS"),
            entry("prctl 38", "NO_NEW_PRIVS"),
            entry("prctl 1", "PARENT_DEATH"),
            entry("landlock_create_ruleset", "LANDLOCK"),
            entry("landlock_add_rule", "LANDLOCK"),
            entry("landlock_restrict_self", "LANDLOCK"),
            entry("rt_sigaction", "SIGNALS"),
            entry("rt_sigprocmask", "SIGNALS"),
            entry("seccomp", "SECCOMP"),
            entry("execve", "EXEC"));

    /**
     * Not checked, since the kernel does not refuse them or it does not matter: a name, an end, a question that saves
     * calls, a program's path, which execve(2) looks up again, what a successor dies with
     * and the group it is found by, where a verdict would be left. The last word of a launch goes another way. And
     * none, where there was no such call.
     */
    private static final Set<String> INDIFFERENT = Set.of(
            "none",
            "prctl 15",
            "close",
            "exit_group",
            "umask",
            "setpgid",
            "openat status",
            "read 1280",
            "ioprio_get",
            "prctl 27",
            "prctl 8",
            "sendmsg",
            "openat2",
            "geteuid",
            "newfstatat",
            "openat probe",
            "pread64",
            "memfd_create",
            "ftruncate",
            "mmap",
            "prctl 1");

    private static final String PLAIN =
            "PLAN COREDUMP_FILTER NICE SCHED AFFINITY MEMPOLICY TIMER_SLACK RLIMIT PERSONALITY THP"
                    + " SESSION KEYRING CWD DESCRIPTORS NOFILE CAPABILITIES SIGNALS NPROC EXEC ";

    /** Beyond those of a plain launch: the stages that refuse, one after the other. */
    @ParameterizedTest
    @CsvSource({
        "plain, PARENT_DEATH",
        "everything, OOM_SCORE_ADJ IOPRIO JOIN UNSHARE ROOT BOUNDING GROUPS GID UID AMBIENT SECUREBITS NO_NEW_PRIVS"
                + " LANDLOCK SECCOMP EFFECTIVE",
        "mapped to itself, PARENT_DEATH UNSHARE ID_MAP PID_NAMESPACE",
        "mapped to ranges, PARENT_DEATH UNSHARE ID_MAP",
    })
    void eachRefusedSyscallOfTheLauncherIsReported(String what, String more) throws Exception {
        assertRefused(new Jvm(), PLAIN + more, what);
    }

    @Test
    void refusedEntryOfACgroupIsReported() throws Exception {
        try (OwnCgroup cgroup = OwnCgroup.make("refused")) {
            Jvm jvm = new Jvm().option("-Dorg.umh4j.without=clone3");
            assertRefused(jvm, PLAIN + "CGROUP PARENT_DEATH", cgroup.folder().toString());
        }
    }

    private static void assertRefused(Jvm jvm, String stages, String what) throws Exception {
        EnumSet<UmhStage> expected = stages(stages);
        if (Sandbox.landlockAbi() == 0) {
            expected.remove(UmhStage.LANDLOCK);
        }
        String out = jvm.run(RefusedMain.class, NativeProgram.compile("refuse"), what)
                .requireSuccess();
        assertEquals(expected + "\n", out);
    }

    private static EnumSet<UmhStage> stages(String names) {
        return Arrays.stream(names.split(" "))
                .map(UmhStage::valueOf)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(UmhStage.class)));
    }

    /** Starts a helper for each call, and prints what came out otherwise, and which stages have refused. */
    static final class RefusedMain {
        public static void main(String[] arguments) throws Exception {
            String what = arguments[1];
            EnumSet<UmhStage> usual = EnumSet.copyOf(Outcome.of(what).stages()); // kept from every helper here
            EnumSet<UmhStage> seen = EnumSet.copyOf(usual);
            try (Helper refuser = UsermodeHelper.start(refuser(arguments[0]))) {
                BufferedReader output = new BufferedReader(new InputStreamReader(refuser.stdout()));
                var before = Leaks.descriptors();
                for (int who = 0; who < PROCESSES; who++) {
                    String call = "";
                    for (int place = 1; !call.equals("none"); place++) {
                        ask(refuser.stdin(), output, who + " " + place + " " + EIO);
                        Outcome outcome = Outcome.of(what).without(usual);
                        call = output.readLine();
                        System.out.print(
                                outcome.isOf(call) ? "" : who + " " + place + " " + call + ": " + outcome + "\n");
                        seen.addAll(outcome.stages());
                    }
                }
                assertEquals(before, Leaks.descriptors());
                assertEquals(1, Leaks.children().size(), "the tracer is one");
            }
            if (!what.equals("everything")) { // the JVM itself may have what they would set
                seen.removeAll(EnumSet.of(UmhStage.OOM_SCORE_ADJ, UmhStage.IOPRIO));
            }
            System.out.println(seen);
        }

        private static void ask(OutputStream refuser, BufferedReader output, String question) throws IOException {
            refuser.write((question + "\n").getBytes(StandardCharsets.US_ASCII));
            assertEquals("ready", output.readLine());
        }

        /** For the thread that calls this. */
        private static SubprocessInfo refuser(String path) throws IOException {
            Path thread = Files.readSymbolicLink(Path.of("/proc/thread-self"));
            return SubprocessInfo.of(
                            path, new String[] {"refuse", thread.getFileName().toString()}, null)
                    .task(Task.defaults()
                            .descriptors(Descriptors.none()
                                    .pipeFromJvm(0)
                                    .pipeToJvm(1)
                                    .inherit(2, 2)));
        }
    }

    /** The result of a launch: a failure with stage and errno, or a success with its unapplied steps. */
    record Outcome(Set<UmhStage> stages, String errno, int cleanups) {
        static Outcome of(String what) throws IOException, InterruptedException {
            AtomicInteger cleanups = new AtomicInteger();
            SubprocessInfo info = asking(what).cleanup(call -> cleanups.incrementAndGet());
            try (Helper helper = UsermodeHelper.start(info)) {
                int raw = helper.waitFor().raw();
                return new Outcome(helper.unapplied(), raw == 0 ? "" : "status " + raw, cleanups.get());
            } catch (UmhException e) {
                return new Outcome(EnumSet.of(e.stage()), e.errnoName(), cleanups.get());
            }
        }

        Outcome without(Set<UmhStage> usual) {
            EnumSet<UmhStage> left = stages.isEmpty() ? EnumSet.noneOf(UmhStage.class) : EnumSet.copyOf(stages);
            left.removeAll(errno.isEmpty() ? usual : Set.of());
            return new Outcome(left, errno, cleanups);
        }

        boolean isOf(String call) {
            String name = call.matches("(close|fcntl) .*") ? call.split(" ")[0] : call;
            if (stages.isEmpty()) {
                return cleanups == 1 && errno.isEmpty() && INDIFFERENT.contains(name);
            }
            return cleanups == 1
                    && (errno.isEmpty() || errno.equals("EIO"))
                    && stages.size() == 1
                    && STAGES.containsKey(name)
                    && RefusedSyscallTest.stages(STAGES.get(name)).containsAll(stages);
        }
    }

    /** {@code BPF_RET | BPF_K, SECCOMP_RET_ALLOW}. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    private static SubprocessInfo asking(String what) {
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        NamespaceSetup namespaces = NamespaceSetup.defaults();
        return switch (what) {
            case "plain" -> info;
            case "everything" -> everything(info);
            case "mapped to itself" ->
                info.task(info.task()
                        .namespaces(namespaces.unshare(Namespace.values()).mapRoot()));
            case "mapped to ranges" ->
                info.task(info.task().namespaces(namespaces.mapUids(0, 0, 10).mapGids(0, 0, 10)));
            default -> info.task(info.task().limits(Limits.defaults().cgroup(what)));
        };
    }

    /** But for what needs a terminal, a security module or another thread. */
    private static SubprocessInfo everything(SubprocessInfo info) {
        CapabilitySet few = CapabilitySet.of(Capability.CAP_KILL);
        Sandbox sandbox = Sandbox.defaults().seccomp(ALLOW_ALL);
        return info.task(info.task()
                .cred(Cred.defaults()
                        .uid(65_534)
                        .gid(65_534)
                        .groups(3)
                        .capabilities(few)
                        .noNewPrivs()
                        .securebits(Securebit.NOROOT)
                        .newKeyring("umh4j-refused"))
                .fs(Fs.defaults().root("/").cwd("/").umask(077))
                .descriptors(Descriptors.none().devNull(0).devNull(9))
                .limits(Limits.defaults()
                        .oomScoreAdj(7)
                        .coredumpFilter(1)
                        .rlimit(Rlimit.CPU, 100)
                        .rlimit(Rlimit.NOFILE, 100)
                        .rlimit(Rlimit.NPROC, 100))
                .sched(Sched.defaults()
                        .batch()
                        .nice(5)
                        .affinity(0)
                        .ioprio(Sched.IoClass.IDLE, 0)
                        .timerSlack(Duration.ofNanos(1)))
                .namespaces(NamespaceSetup.defaults()
                        .joinFile(Namespace.UTS, "/proc/self/ns/uts")
                        .unshare(Namespace.MOUNT))
                .sandbox(Sandbox.landlockAbi() > 0 ? sandbox.readOnly("/") : sandbox)
                .personality(0x4_0000));
    }
}
