// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.umh4j.linux.Capability.CAP_KILL;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.Signal;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Sched;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;

/** A JVM of uid 65534 can apply each attribute that needs no privilege. Each other one fails with stage and errno. */
@RequiresRoot
final class UnprivilegedJvmTest {
    private static final int NOBODY = 65_534;
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Cred CRED = Cred.defaults();
    private static final Cred TAME = CRED.noNewPrivs();
    private static final Sched SCHED = Sched.defaults();
    private static final Limits LIMITS = Limits.defaults();
    private static final SignalState SIGNALS = SignalState.defaults();
    private static final NamespaceSetup ROOT = NamespaceSetup.defaults().mapRoot();
    private static final CapabilitySet KILL = CapabilitySet.of(CAP_KILL);
    private static final String[] UNSHARE =
            "setpriv --reuid=65534 --regid=65534 --clear-groups unshare --map-root-user true".split(" ");
    /** {@code BPF_RET | BPF_K, SECCOMP_RET_ALLOW}. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    /** A requested attribute, and the value in the probe's report; without a field, the stage of the failure. */
    record Row(String field, String expected, Consumer<SubprocessInfo> asked) {
        @Override
        public String toString() {
            return field.isEmpty() ? expected : field + " " + expected;
        }
    }

    private static Row given(String field, String expected, Consumer<SubprocessInfo> asked) {
        return new Row(field, expected, asked);
    }

    private static Row refused(String stageAndErrno, Consumer<SubprocessInfo> asked) {
        return new Row("", stageAndErrno, asked);
    }

    private static Consumer<SubprocessInfo> cred(Cred cred) {
        return info -> info.task(info.task().cred(cred));
    }

    private static Consumer<SubprocessInfo> sched(Sched sched) {
        return info -> info.task(info.task().sched(sched));
    }

    private static Consumer<SubprocessInfo> limits(Limits limits) {
        return info -> info.task(info.task().limits(limits));
    }

    private static Consumer<SubprocessInfo> signals(SignalState signals) {
        return info -> info.task(info.task().signals(signals));
    }

    private static Consumer<SubprocessInfo> in(NamespaceSetup namespaces) {
        return info -> info.task(info.task().namespaces(namespaces));
    }

    private static List<Row> attributes() {
        return List.of(
                given("nice", "5", sched(SCHED.nice(5))),
                given("sched_policy", "3", sched(SCHED.batch())),
                given("sched_policy", "5", sched(SCHED.idle())),
                given("cpu_affinity", "[0]", sched(SCHED.affinity(0))),
                given("ioprio", "24576", sched(SCHED.ioprio(Sched.IoClass.IDLE, 0))),
                given("ioprio", "16391", sched(SCHED.ioprio(Sched.IoClass.BEST_EFFORT, 7))),
                given("timerslack_ns", "1", sched(SCHED.timerSlack(Duration.ofNanos(1)))),
                given("rlimits.NOFILE", "[10,20]", limits(LIMITS.rlimit(Rlimit.NOFILE, 10, 20))),
                given("rlimits.CORE", "[0,0]", limits(LIMITS.rlimit(Rlimit.CORE, 0))),
                given("rlimits.NPROC", "[7,7]", limits(LIMITS.rlimit(Rlimit.NPROC, 7))),
                given("oom_score_adj", "500", limits(LIMITS.oomScoreAdj(500))),
                given("coredump_filter", "\"00000001\"", limits(LIMITS.coredumpFilter(1))),
                given(
                        "status.Umask",
                        "\"0077\"",
                        info -> info.task(info.task().fs(Fs.defaults().umask(077)))),
                given(
                        "cwd",
                        "\"/usr\"",
                        info -> info.task(info.task().fs(Fs.defaults().cwd("/usr")))),
                given(
                        "fds",
                        "\"link\":\"/etc/passwd\"",
                        info -> info.task(
                                info.task().descriptors(Descriptors.none().open(7, "/etc/passwd")))),
                given(
                        "personality",
                        "\"0x40000\"",
                        info -> info.task(info.task().personality(0x4_0000))),
                given("status.SigBlk", "\"0000000000004000\"", signals(SIGNALS.block(15))),
                given("status.SigIgn", "\"0000000000000001\"", signals(SIGNALS.ignore(1))),
                given("pdeathsig", "9", signals(SIGNALS.parentDeathSignal(Signal.KILL))),
                given("sid", session(), info -> info.task(info.task().session(Session.newGroup()))),
                given("sid", session(), info -> info.task(info.task().session(Session.inherited()))));
    }

    private static List<Row> niced() {
        return List.of(
                given("sched_policy", "0", info -> {}),
                given("stat.nice", "7", info -> {}),
                given("sched_policy", "3", sched(SCHED.batch())),
                given("sched_policy", "5", sched(SCHED.idle())),
                given("nice", "9", sched(SCHED.nice(9))),
                refused("NICE EACCES", sched(SCHED.nice(6))),
                refused("NICE EACCES", sched(SCHED.nice(0))));
    }

    /** This JVM's. */
    private static String session() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            return stat.replaceAll("(?s).*\\) \\w \\d+ \\d+ (\\d+).*", "$1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Row> confinement() {
        NamespaceSetup all = ROOT.unshare(Namespace.values());
        List<Row> rows = new ArrayList<>(List.of(
                given(
                        "uids_ruid_euid_suid",
                        "[65534,65534,65534]",
                        cred(CRED.uid(NOBODY).gid(NOBODY))),
                given("keyrings.session", ";mine", cred(CRED.newKeyring("mine"))),
                given("no_new_privs", "1", cred(TAME)),
                given(
                        "seccomp_mode",
                        "2",
                        info -> info.task(info.task()
                                .cred(TAME)
                                .sandbox(Sandbox.defaults().seccomp(ALLOW_ALL)))),
                given("uids_ruid_euid_suid", "[0,0,0]", in(ROOT)),
                given(
                        "uids_ruid_euid_suid",
                        "[7,7,7]",
                        in(NamespaceSetup.defaults().mapSelf(7, 8))),
                given(
                        "gids_rgid_egid_sgid",
                        "[8,8,8]",
                        in(NamespaceSetup.defaults().mapSelf(7, 8))),
                given("status.NSpid", "1\"", in(all)),
                given(
                        "status.CapBnd",
                        KILL.toHex(),
                        info -> info.task(info.task().namespaces(ROOT).cred(CRED.bounding(KILL)))),
                given(
                        "status.CapAmb",
                        KILL.toHex(),
                        info -> info.task(info.task().namespaces(ROOT).cred(CRED.capabilities(KILL)))),
                given(
                        "securebits",
                        "\"0x1\"",
                        info -> info.task(info.task().namespaces(ROOT).cred(CRED.securebits(Securebit.NOROOT)))),
                given(
                        "root",
                        "\"/\"",
                        info -> info.task(
                                info.task().namespaces(ROOT).fs(Fs.defaults().root("/")))),
                given(
                        "seccomp_mode",
                        "2",
                        info -> info.task(info.task()
                                .namespaces(ROOT)
                                .sandbox(Sandbox.defaults().seccomp(ALLOW_ALL))))));
        for (Namespace kind : Namespace.values()) {
            given(rows, kind);
        }
        if (Sandbox.landlockAbi() > 0) {
            rows.add(given(
                    "cwd",
                    "\"/\"",
                    info -> info.task(
                            info.task().cred(TAME).sandbox(Sandbox.defaults().readOnly("/")))));
        }
        return rows;
    }

    /** In one more namespace of each kind it is root, and sees another one than the JVM. */
    private static void given(List<Row> rows, Namespace kind) {
        rows.add(given("ns." + kind.procName(), kind.procName() + ":[", in(ROOT.unshare(kind))));
    }

    private static List<Row> refusals() {
        Duration one = Duration.ofMillis(1);
        NamespaceSetup old = NamespaceSetup.defaults();
        List<Row> rows = new ArrayList<>(List.of(
                refused("UID EPERM", cred(CRED.uid(0))),
                refused("GID EPERM", cred(CRED.gid(0))),
                refused("GROUPS EPERM", cred(CRED.groups(NOBODY))),
                refused("BOUNDING EPERM", cred(CRED.bounding(KILL))),
                refused("CAPABILITIES EPERM", cred(CRED.permitted(KILL))),
                refused("CAPABILITIES EPERM", cred(CRED.inheritable(KILL))),
                refused("EFFECTIVE EPERM", cred(CRED.effective(KILL))),
                refused("CAPABILITIES EPERM", cred(CRED.inheritable(KILL).ambient(KILL))),
                refused("SECUREBITS EPERM", cred(CRED.securebits(Securebit.NOROOT))),
                refused(
                        "ROOT EPERM",
                        info -> info.task(info.task().fs(Fs.defaults().root("/usr")))),
                refused(
                        "SOURCE EACCES",
                        info -> info.task(info.task()
                                .descriptors(Descriptors.none().open(7, "/etc/passwd", StandardOpenOption.WRITE)))),
                refused("NICE EACCES", sched(SCHED.nice(-1))),
                refused("SCHED EPERM", sched(SCHED.fifo(1))),
                refused("SCHED EPERM", sched(SCHED.rr(99))),
                refused("SCHED EPERM", sched(SCHED.deadline(one, one, one))),
                refused("IOPRIO EPERM", sched(SCHED.ioprio(Sched.IoClass.REALTIME, 0))),
                refused("RLIMIT EPERM", limits(LIMITS.rlimit(Rlimit.RTPRIO, 99))),
                refused("NOFILE EPERM", limits(LIMITS.rlimit(Rlimit.NOFILE, Rlimit.INFINITY))),
                refused("OOM_SCORE_ADJ EACCES", limits(LIMITS.oomScoreAdj(-1))),
                refused(
                        "SECCOMP EACCES",
                        info -> info.task(info.task().sandbox(Sandbox.defaults().seccomp(ALLOW_ALL)))),
                refused(
                        "LANDLOCK EPERM",
                        info -> info.task(info.task().sandbox(Sandbox.defaults().readOnly("/")))),
                refused("JOIN EPERM", in(old.joinFile(Namespace.NET, "/proc/self/ns/net"))),
                refused("JOIN EACCES", in(old.joinFile(Namespace.NET, "/proc/1/ns/net"))),
                refused("JOIN EPERM", in(old.join(1, Namespace.UTS))),
                refused("ID_MAP EPERM", in(old.mapUids(0, NOBODY, 2).mapGids(0, NOBODY, 2))),
                refused(
                        "UID EINVAL",
                        info -> info.task(info.task().namespaces(ROOT).cred(CRED.uid(5))))));
        for (Namespace kind : Namespace.values()) {
            if (kind != Namespace.USER) {
                rows.add(refused("UNSHARE EPERM", in(old.unshare(kind))));
            }
        }
        cgroups().forEach(group -> rows.add(refused("CGROUP EACCES", limits(LIMITS.cgroup(group)))));
        return rows;
    }

    /** The root of the cgroups of the second version, where it is mounted. */
    private static List<String> cgroups() {
        try {
            return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                    .map(line -> line.split(" "))
                    .filter(mount -> mount[2].equals("cgroup2"))
                    .map(mount -> mount[1])
                    .collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void unprivilegedAttributesAreApplied() throws Exception {
        assertEquals(
                "", new Jvm().asNobody().run(NobodyMain.class, "attributes").requireSuccess());
    }

    /** The nice value is worse than the kernel's, and stays; the policy is another thing. */
    @Test
    void unappliedNiceKeepsThePolicyApplied() throws Exception {
        Jvm jvm = new Jvm()
                .asNobody()
                .under(ProbeProgram.path(), "nice", "7", "policy", "3", "exec", "/usr/bin/env", "env");
        assertEquals("", jvm.run(NobodyMain.class, "niced").requireSuccess());
    }

    @Test
    void confinementAndUserNamespacesNeedNoPrivilege() throws Exception {
        if (new ProcessBuilder(UNSHARE).start().waitFor() != 0) {
            Need.USER_NAMESPACES.missing();
        }
        assertEquals(
                "", new Jvm().asNobody().run(NobodyMain.class, "confinement").requireSuccess());
    }

    @Test
    void privilegedAttributesFailAtTheirStage() throws Exception {
        assertEquals("", new Jvm().asNobody().run(NobodyMain.class, "refusals").requireSuccess());
    }

    /** Prints the rows that come out otherwise. */
    static final class NobodyMain {
        public static void main(String[] arguments) throws Exception {
            List<Row> rows = switch (arguments[0]) {
                case "attributes" -> attributes();
                case "niced" -> niced();
                case "confinement" -> confinement();
                default -> refusals();
            };
            Report plain = Report.parse(report(info -> {}));
            var descriptors = Leaks.descriptors();
            for (Row row : rows) {
                String outcome = outcome(row, plain);
                if (!outcome.equals(row.toString())) {
                    System.out.println(row + ": " + outcome);
                }
            }
            Leaks.assertNothingLeft(descriptors);
        }

        /** The row itself, when the field has what is expected and has not had it without being asked for. */
        private static String outcome(Row row, Report plain) throws Exception {
            try {
                String value =
                        Report.parse(report(row.asked())).get(row.field()).toString();
                boolean asExpected = !row.field().isEmpty() && value.contains(row.expected());
                boolean same = row.field().startsWith("ns.")
                        && value.equals(plain.get(row.field()).toString());
                return asExpected && !same ? row.toString() : row.field() + " " + value;
            } catch (UmhException e) {
                return e.stage() + " " + e.errnoName();
            }
        }

        private static String report(Consumer<SubprocessInfo> asked) throws IOException, InterruptedException {
            SubprocessInfo info = SubprocessInfo.of(ProbeProgram.path(), ProbeProgram.argv("--fd", "1"), null);
            asked.accept(info);
            return UsermodeHelper.run(info, LONG).stdoutText();
        }
    }
}
