// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.umh4j.conformance.ReferenceToolRow.capsh;
import static org.umh4j.conformance.ReferenceToolRow.row;
import static org.umh4j.conformance.ReferenceToolRow.shell;
import static org.umh4j.linux.Capability.CAP_CHOWN;
import static org.umh4j.linux.Capability.CAP_KILL;
import static org.umh4j.linux.Capability.CAP_NET_RAW;
import static org.umh4j.linux.Capability.CAP_SYS_ADMIN;
import static org.umh4j.support.ProbeProgram.FOLDER;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.Signal;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.OpenDescriptors;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sched;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * Each attribute compared with a standard tool. The tool runs as a plain helper, sets the attribute on itself and
 * executes the probe; another probe is started with the attribute. Both report the same state.
 */
@RequiresRoot
@ExtendWith(Leaks.class)
final class ReferenceToolsTest {
    private static final Cred CRED = Cred.defaults();
    private static final String PROBE = ProbeProgram.path();
    private static final NamespaceSetup NAMESPACES = NamespaceSetup.defaults();
    private static final long PF_SUPERPRIV = 0x100;
    private static final Consumer<SubprocessInfo> PLAIN = info -> {};

    /** Those that hold a process's id. */
    private static final List<String> IDS = List.of(
            "pid",
            "pgrp",
            "sid",
            "stat.pgrp",
            "stat.session",
            "stat.tpgid",
            "status.Pid",
            "status.Tgid",
            "status.NSpid",
            "status.NStgid",
            "status.NSpgid",
            "status.NSsid");

    private static Consumer<SubprocessInfo> cred(Cred cred) {
        return info -> info.task(info.task().cred(cred));
    }

    static Stream<ReferenceToolRow> ids() {
        return Stream.of(
                row("status.Uid", cred(CRED.uid(65534).keepGid()), "setpriv", "--reuid=65534"),
                row("status.Uid", cred(CRED.uid(Cred.MAX_ID).keepGid()), "setpriv", "--reuid=" + Cred.MAX_ID),
                row("status.Uid", cred(CRED.uids(65534, 0, 0).keepGid()), "setpriv", "--ruid=65534"),
                row("status.Uid", cred(CRED.uids(0, 65534, 65534).keepGid()), "setpriv", "--euid=65534"),
                row("status.Uid", cred(CRED.uids(1, 2, 2).keepGid()), "setpriv", "--ruid=1", "--euid=2"),
                row("status.Gid", cred(CRED.gid(65534)), "setpriv", "--regid=65534", "--keep-groups"),
                row("status.Gid", cred(CRED.gids(65534, 0, 0)), "setpriv", "--rgid=65534", "--keep-groups"),
                row("status.Gid", cred(CRED.gids(0, 65534, 65534)), "setpriv", "--egid=65534", "--keep-groups"),
                row("status.Groups", cred(CRED.groups(3, 65534, 7)), "setpriv", "--groups=3,65534,7"),
                row(
                        "status.Uid",
                        cred(CRED.user("nobody").groups(new long[0])),
                        "setpriv",
                        "--reuid=nobody",
                        "--regid=nogroup",
                        "--clear-groups"),
                row(
                        "status.Uid",
                        cred(CRED.user("nobody")),
                        "setpriv",
                        "--reuid=nobody",
                        "--regid=nogroup",
                        "--init-groups"),
                row(
                        "status.Uid",
                        cred(CRED.uid(1).gid(2).groups(3, 4)),
                        "chroot",
                        "--userspec=1:2",
                        "--groups=3,4",
                        "/"),
                capsh("status.Uid", cred(CRED.uid(1).gid(2).groups(3, 4)), "--groups=3,4", "--gid=2", "--uid=1"));
    }

    static Stream<ReferenceToolRow> capabilities() {
        CapabilitySet chown = CapabilitySet.of(CAP_CHOWN);
        CapabilitySet raw = CapabilitySet.of(CAP_NET_RAW);
        CapabilitySet both = CapabilitySet.of(CAP_CHOWN, CAP_KILL);
        CapabilitySet all = CapabilitySet.all();
        Cred nobody = CRED.uid(65534).keepGid();
        Cred able = nobody.permitted(raw).inheritable(raw).ambient(raw);
        String[] kept = {"--keep=1", "--uid=65534", "--caps=cap_net_raw=eip", "--addamb=cap_net_raw"};
        String[] narrow = {"--drop=" + String.join(",", all.minus(raw).names()), kept[0], kept[1], kept[2], kept[3]};
        return Stream.of(
                row("status.CapInh", cred(CRED.inheritable(both)), "setpriv", "--inh-caps=+chown,+kill"),
                row(
                        "status.CapAmb",
                        cred(CRED.inheritable(both).ambient(chown)),
                        "setpriv",
                        "--inh-caps=+chown,+kill",
                        "--ambient-caps=+chown"),
                row(
                        "status.CapBnd",
                        cred(CRED.bounding(all.minus(CAP_SYS_ADMIN, CAP_CHOWN))),
                        "setpriv",
                        "--bounding-set=-sys_admin,-chown"),
                row("status.CapBnd", cred(CRED.bounding(chown)), "setpriv", "--bounding-set=-all,+chown"),
                row("status.CapBnd", cred(CRED.bounding(CapabilitySet.NONE)), "setpriv", "--bounding-set=-all"),
                row(
                        "status.CapBnd",
                        cred(nobody.bounding(chown)),
                        "setpriv",
                        "--bounding-set=-all,+chown",
                        "--reuid=65534"),
                capsh("status.CapBnd", cred(CRED.bounding(all.minus(both))), "--drop=cap_chown,cap_kill"),
                capsh(
                        "status.CapInh",
                        cred(CRED.inheritable(chown).bounding(all.minus(raw))),
                        "--iab=!cap_net_raw,cap_chown"),
                capsh("status.CapAmb", cred(able), kept),
                capsh("status.CapAmb", cred(nobody.capabilities(raw)), narrow),
                capsh("status.CapInh", cred(nobody.inheritable(raw)), "--inh=cap_net_raw", "--uid=65534"),
                capsh(
                        "status.CapInh",
                        cred(CRED.permitted(both).inheritable(chown)),
                        "--caps=cap_chown,cap_kill=ep cap_chown+i"),
                row("no_new_privs", cred(CRED.noNewPrivs()), "setpriv", "--no-new-privs"));
    }

    static Stream<ReferenceToolRow> securebits() {
        CapabilitySet chown = CapabilitySet.of(CAP_CHOWN);
        Securebit[] all = Securebit.values();
        Securebit[] some = {Securebit.NOROOT, Securebit.NOROOT_LOCKED, Securebit.NO_SETUID_FIXUP_LOCKED};
        Stream<ReferenceToolRow> one = Arrays.stream(all)
                .filter(bit -> bit != Securebit.KEEP_CAPS) // an execve clears it
                .map(bit -> capsh("securebits", cred(CRED.securebits(bit)), "--secbits=" + bit.bit()));
        Stream<ReferenceToolRow> several = Stream.of(
                capsh("securebits", cred(CRED.securebits(all)), "--secbits=0xff"),
                row(
                        "securebits",
                        cred(CRED.securebits(some)),
                        "setpriv",
                        "--securebits=+noroot,+noroot_locked,+no_setuid_fixup_locked"),
                row(
                        "securebits",
                        cred(CRED.securebits(Securebit.NO_SETUID_FIXUP)
                                .uid(65534)
                                .keepGid()),
                        "setpriv",
                        "--reuid=65534",
                        "--securebits=+no_setuid_fixup"),
                capsh(
                        "status.CapEff",
                        cred(CRED.permitted(chown)
                                .inheritable(chown)
                                .ambient(chown)
                                .securebits(some)),
                        "--caps=cap_chown=eip cap_setpcap+ep",
                        "--addamb=cap_chown",
                        "--secbits=0xb"));
        return Stream.concat(one, several);
    }

    static Stream<ReferenceToolRow> places() throws IOException {
        String root = newRoot();
        Consumer<SubprocessInfo> opened =
                info -> info.task(info.task().descriptors(files().open(9, "/etc/passwd", StandardOpenOption.READ)));
        return Stream.of(
                row("root", info -> info.task(info.task().fs(Fs.defaults().root(root))), "chroot", root),
                row("cwd", info -> info.task(info.task().fs(Fs.defaults().cwd("/etc"))), "env", "--chdir=/etc"),
                shell(
                        "status.Umask",
                        info -> info.task(info.task().fs(Fs.defaults().umask(0))),
                        "umask 0"),
                shell(
                        "status.Umask",
                        info -> info.task(info.task().fs(Fs.defaults().umask(0777))),
                        "umask 777"),
                shell("fds.2.link", opened, "exec 9</etc/passwd"),
                row("personality", info -> info.task(info.task().personality(0x0004_0000)), "setarch", "-R"),
                row("personality", info -> info.task(info.task().personality(8)), "setarch", "linux32"));
    }

    /** A directory in which the probe has the same path as outside. */
    private static String newRoot() throws IOException {
        Path root = FOLDER.resolve("root");
        Path probe = Path.of(root + PROBE);
        Files.createDirectories(probe.getParent());
        Files.copy(Path.of(PROBE), probe, StandardCopyOption.REPLACE_EXISTING);
        return root.toString();
    }

    static Stream<ReferenceToolRow> signals() {
        return Stream.of(
                row(
                        "pdeathsig",
                        info -> info.task(
                                info.task().signals(SignalState.defaults().parentDeathSignal(Signal.USR2))),
                        "setpriv",
                        "--pdeathsig=USR2"),
                row(
                        "status.SigIgn",
                        info -> info.task(
                                info.task().signals(SignalState.defaults().ignore(1, 13, 40))),
                        "env",
                        "--ignore-signal=1,13,40"),
                row(
                        "status.SigBlk",
                        info -> info.task(
                                info.task().signals(SignalState.defaults().block(15, 10, 64))),
                        "env",
                        "--block-signal=15,10,64"),
                row("sid", PLAIN, "setsid").from(info -> info.task(info.task().session(Session.inherited()))),
                row(
                                "pgrp",
                                info -> info.task(info.task().session(Session.newGroup())),
                                "perl",
                                "-e",
                                "setpgrp; exec @ARGV",
                                "--")
                        .from(info -> info.task(info.task().session(Session.inherited()))));
    }

    /** Opens the master of a new terminal, prints the path of the slave, and reads until the end of its input. */
    private static final String PTY = """
            use Fcntl;
            my ($locked, $number) = (pack('i', 0), pack('i', 0));
            sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "ptmx: $!";
            ioctl $master, 0x40045431, $locked or die "TIOCSPTLCK: $!";
            ioctl $master, 0x80045430, $number or die "TIOCGPTN: $!";
            syswrite STDOUT, '/dev/pts/' . unpack('i', $number) . "\\n";
            sysread STDIN, my $byte, 1;
            """;

    /** The end of a session hangs its terminal up, so the JVM's descriptor of it serves once. */
    @Test
    void controllingTerminalEqualsThatOfSetsid() throws IOException {
        Descriptors pipes = Descriptors.none().pipeFromJvm(0).pipeToJvm(1).inherit(2, 2);
        SubprocessInfo pty = SubprocessInfo.of("/usr/bin/perl", new String[] {"perl", "-e", PTY}, null)
                .task(Task.defaults().descriptors(pipes));
        try (Helper master = UsermodeHelper.start(pty)) {
            String slave = new BufferedReader(new InputStreamReader(master.stdout())).readLine();
            RandomAccessFile terminal = new RandomAccessFile(slave, "rw");
            stateEqualsThatOfTheTool(terminal(slave, OpenDescriptors.numberOf(Path.of(slave))));
            terminal.close();
        }
    }

    private static ReferenceToolRow terminal(String path, int fd) {
        Consumer<SubprocessInfo> asked = info -> info.task(info.task()
                .session(Session.terminal(fd))
                .descriptors(files().open(0, path, StandardOpenOption.READ, StandardOpenOption.WRITE)));
        return row("stat.tty_nr", asked, "sh", "-c", "exec setsid --ctty \"$0\" \"$@\" <>" + path)
                .except("a shell exports where it is", "envp")
                .from(info -> info.task(info.task().session(Session.inherited())));
    }

    /** Without NICE and RTPRIO: kthreadd's are 0, and nothing is lower. */
    static Stream<ReferenceToolRow> rlimits() {
        Map<Rlimit, Long> lower = Map.of(
                Rlimit.NOFILE,
                64L,
                Rlimit.CPU,
                1_000L,
                Rlimit.FSIZE,
                1L << 20,
                Rlimit.AS,
                1L << 30,
                Rlimit.DATA,
                1L << 24,
                Rlimit.STACK,
                1L << 20);
        return Arrays.stream(Rlimit.values())
                .filter(resource -> resource != Rlimit.NICE && resource != Rlimit.RTPRIO)
                .flatMap(resource -> {
                    long hard = lower.getOrDefault(resource, 65_536L);
                    String option =
                            "--" + resource.name().toLowerCase(java.util.Locale.ROOT) + "=" + hard / 2 + ":" + hard;
                    return Stream.of(
                            row(
                                    "rlimits." + resource,
                                    info -> info.task(
                                            info.task().limits(Limits.defaults().rlimit(resource, hard / 2, hard))),
                                    "prlimit",
                                    option),
                            row(
                                    "rlimits." + resource,
                                    info -> info.task(
                                            info.task().limits(Limits.defaults().rlimit(resource, hard))),
                                    "prlimit",
                                    option.replaceAll("=.*", "=" + hard)));
                });
    }

    static Stream<ReferenceToolRow> accounts() {
        return Stream.of(
                row(
                        "oom_score_adj",
                        info -> info.task(info.task().limits(Limits.defaults().oomScoreAdj(300))),
                        "choom",
                        "-n",
                        "300",
                        "--"),
                shell(
                        "coredump_filter",
                        info -> info.task(info.task().limits(Limits.defaults().coredumpFilter(0x1ff))),
                        "echo 0x1ff > /proc/self/coredump_filter"));
    }

    static Stream<ReferenceToolRow> scheduling() {
        Sched sched = Sched.defaults();
        Duration one = Duration.ofMillis(1);
        return Stream.of(
                sched("nice", sched.nice(7), "nice", "-n", "7"),
                sched("nice", sched.nice(-20), "nice", "-n", "-20"),
                sched("sched_policy", sched.batch(), "chrt", "-b", "0"),
                sched("sched_policy", sched.batch().nice(3), "nice", "-n", "3", "chrt", "-b", "0"),
                sched("sched_policy", sched.idle(), "chrt", "-i", "0"),
                sched("sched_policy", sched.fifo(1), "chrt", "-f", "1"),
                sched("sched_priority", sched.fifo(99).nice(5), "nice", "-n", "5", "chrt", "-f", "99"),
                sched("sched_policy", sched.rr(50), "chrt", "-r", "50"),
                sched(
                        "sched_policy",
                        sched.deadline(one, one.multipliedBy(20), one.multipliedBy(40)),
                        "chrt",
                        "-d",
                        "--sched-runtime",
                        "1000000",
                        "--sched-deadline",
                        "20000000",
                        "--sched-period",
                        "40000000",
                        "0"),
                sched("cpu_affinity", sched.affinity(0), "taskset", "1"),
                sched("cpu_affinity", sched.affinity(1, 5_000), "taskset", "-c", "1"),
                sched("sched_policy", sched.rr(3).affinity(1), "chrt", "-r", "3", "taskset", "2"),
                sched("ioprio", sched.ioprio(Sched.IoClass.REALTIME, 3), "ionice", "-c1", "-n3"),
                sched("ioprio", sched.ioprio(Sched.IoClass.BEST_EFFORT, 7), "ionice", "-c2", "-n7"),
                sched("ioprio", sched.ioprio(Sched.IoClass.BEST_EFFORT, 0), "ionice", "-c2", "-n0"),
                sched("ioprio", sched.ioprio(Sched.IoClass.IDLE, 0), "ionice", "-c3")
                        .except("ionice gives a level to the class that has none", "ioprio"),
                shell(
                        "timerslack_ns",
                        info -> info.task(info.task().sched(sched.timerSlack(Duration.ofMillis(2)))),
                        "echo 2000000 > /proc/self/timerslack_ns"));
    }

    private static ReferenceToolRow sched(String shown, Sched sched, String... tool) {
        return row(shown, info -> info.task(info.task().sched(sched)), tool);
    }

    static Stream<ReferenceToolRow> namespaces() {
        Stream<ReferenceToolRow> kinds = Stream.of("mount", "cgroup", "uts", "ipc", "net", "time")
                .map(kind -> fresh(NAMESPACES.unshare(Namespace.of(kind)), Namespace.of(kind), "--" + kind));
        NamespaceSetup all = NAMESPACES.unshare(Namespace.values()).mapRoot();
        return Stream.concat(
                kinds,
                Stream.of(
                        forked(fresh(NAMESPACES.unshare(Namespace.PID), Namespace.PID, "--pid", "--fork", "setsid")),
                        newUser(fresh(NAMESPACES.mapRoot(), Namespace.USER, "-r")),
                        allNew(forked(newUser(fresh(all, Namespace.USER, "-muinpCTrf", "setsid"))))));
    }

    private static Consumer<SubprocessInfo> in(NamespaceSetup namespaces) {
        return info -> info.task(info.task().namespaces(namespaces));
    }

    private static ReferenceToolRow fresh(NamespaceSetup asked, Namespace kind, String... options) {
        return newOne(row("ns." + kind.procName(), in(asked), with(new String[] {"unshare"}, options)), kind);
    }

    private static ReferenceToolRow newOne(ReferenceToolRow row, Namespace kind) {
        boolean ofChildren = kind == Namespace.PID || kind == Namespace.TIME;
        ReferenceToolRow one = row.except("each has a new one", "ns." + kind.procName());
        return ofChildren ? one.except("each has a new one", "ns." + kind.procName() + "_for_children") : one;
    }

    private static ReferenceToolRow allNew(ReferenceToolRow row) {
        return Stream.of(Namespace.values()).reduce(row, ReferenceToolsTest::newOne, (a, b) -> a);
    }

    private static ReferenceToolRow forked(ReferenceToolRow row) {
        return row.except("the tool waits for a child, which is the probe", "ppid", "stat.ppid", "status.PPid");
    }

    private static ReferenceToolRow newUser(ReferenceToolRow row) {
        return row.except(
                "each user namespace has keyrings of its own", "keyrings.user.id", "keyrings.user_session.id");
    }

    private static String[] with(String[] tool, String... options) {
        return Stream.concat(Stream.of(tool), Stream.of(options)).toArray(String[]::new);
    }

    @ParameterizedTest
    @MethodSource({
        "ids",
        "capabilities",
        "securebits",
        "places",
        "signals",
        "rlimits",
        "accounts",
        "scheduling",
        "namespaces"
    })
    void stateEqualsThatOfTheTool(ReferenceToolRow row) throws IOException {
        Map<String, String> before = state(ours(row.born()));
        Map<String, String> ours = state(ours(row.asked()));
        Map<String, String> theirs = state(theirs(row));
        assertEquals(Map.of(), differences(ours, theirs, row.unequal()));
        Stream<String> excused = row.unequal().keySet().stream().filter(field -> field.startsWith("ns."));
        Stream.concat(Stream.of(row.shown()), excused).forEach(field -> {
            assertNotEquals(before.get(field), ours.get(field), field + " was so before");
            assertNotEquals(before.get(field), theirs.get(field), field + " is not what the tool changes");
        });
    }

    /** Attributes that a process can't report of itself: the command that reads each, and its output. */
    record Reading(Consumer<SubprocessInfo> asked, String command, String answer) {
        @Override
        public String toString() {
            return command + ": " + answer;
        }
    }

    static Stream<Reading> readings() throws IOException {
        Sched sched = Sched.defaults();
        Duration one = Duration.ofMillis(1);
        String root = newRoot();
        NamespaceSetup ranges =
                NAMESPACES.mapUids(0, 0, 1).mapUids(1, 100_001, 65_535).mapGids(0, 0, 2);
        CapabilitySet raw = CapabilitySet.of(CAP_NET_RAW);
        return Stream.of(
                new Reading(
                        info -> info.task(info.task().sched(sched.ioprio(Sched.IoClass.IDLE, 0))),
                        "ionice -p PID",
                        "idle"),
                new Reading(
                        info -> info.task(info.task().sched(sched.ioprio(Sched.IoClass.BEST_EFFORT, 2))),
                        "ionice -p PID",
                        "best-effort: prio 2"),
                new Reading(
                        info -> info.task(
                                info.task().sched(sched.deadline(one, one.multipliedBy(20), one.multipliedBy(40)))),
                        "chrt -p PID | tail -1 | cut -d: -f2",
                        "1000000/20000000/40000000"),
                new Reading(
                        info -> info.task(info.task().fs(Fs.defaults().root(root))), "readlink /proc/PID/root", root),
                new Reading(
                        info -> info.task(
                                info.task().fs(Fs.defaults().root(root).cwd("/tmp"))),
                        "readlink /proc/PID/cwd",
                        root + "/tmp"),
                new Reading(in(NAMESPACES.mapRoot()), "xargs < /proc/PID/uid_map", "0 0 1"),
                new Reading(in(NAMESPACES.mapRoot()), "cat /proc/PID/setgroups", "deny"),
                new Reading(
                        in(NAMESPACES.mapSelf(7, 8)), "cat /proc/PID/uid_map /proc/PID/gid_map | xargs", "7 0 1 8 0 1"),
                new Reading(in(ranges), "xargs < /proc/PID/uid_map", "0 0 1 1 100001 65535"),
                new Reading(in(ranges), "cat /proc/PID/gid_map /proc/PID/setgroups | xargs", "0 0 2 allow"),
                new Reading(
                        cred(CRED.uid(1).keepGid().capabilities(raw)), "getpcaps PID | cut -d: -f2", "cap_net_raw=eip"),
                new Reading(
                        info -> info.task(info.task().limits(Limits.defaults().rlimit(Rlimit.NOFILE, 10, 20))),
                        "prlimit --pid PID --nofile --noheadings --output SOFT,HARD | xargs",
                        "10 20"));
    }

    @ParameterizedTest
    @MethodSource("readings")
    void otherToolsReadTheStateOfALiveHelper(Reading reading) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(PROBE, ProbeProgram.argv("pause"), null);
        reading.asked().accept(info);
        try (Helper helper = UsermodeHelper.start(info)) {
            assertEquals(reading.answer(), read(reading.command().replace("PID", Long.toString(helper.pid()))));
        }
    }

    private static String read(String command) throws IOException, InterruptedException {
        Path answer = FOLDER.resolve("answer");
        Process shell = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .redirectOutput(answer.toFile())
                .start();
        shell.getOutputStream().close();
        assertEquals(0, shell.waitFor(), command);
        return Files.readString(answer).trim();
    }

    @Test
    void joinedNamespacesEqualThoseOfNsenter() throws IOException {
        NamespaceSetup all = NAMESPACES.unshare(Namespace.values()).mapRoot();
        try (Helper target = UsermodeHelper.start(
                ProbeProgram.doing("pause").task(Task.defaults().namespaces(all)))) {
            for (ReferenceToolRow row : joins(target.pid())) {
                stateEqualsThatOfTheTool(row);
            }
        }
    }

    private static List<ReferenceToolRow> joins(long pid) {
        String[] nsenter = {"nsenter", "--target", Long.toString(pid), "--preserve-credentials"};
        String net = "/proc/" + pid + "/ns/net";
        return List.of(
                row("ns.net", in(NAMESPACES.join(pid, Namespace.NET)), with(nsenter, "-n")),
                row("ns.net", in(NAMESPACES.joinFile(Namespace.NET, net)), "nsenter", "--net=" + net),
                row("ns.mnt", in(NAMESPACES.join(pid, Namespace.MOUNT)), with(nsenter, "-m")),
                row("ns.uts", in(NAMESPACES.join(pid, Namespace.UTS, Namespace.IPC)), with(nsenter, "-u", "-i")),
                row("ns.cgroup", in(NAMESPACES.join(pid, Namespace.CGROUP)), with(nsenter, "-C")),
                row("ns.user", in(NAMESPACES.join(pid, Namespace.USER)), with(nsenter, "-U")),
                row("ns.time", in(NAMESPACES.join(pid, Namespace.TIME)), with(nsenter, "-T")),
                forked(row("ns.pid", in(NAMESPACES.join(pid, Namespace.PID)), with(nsenter, "-p", "setsid"))),
                forked(row(
                        "ns.time",
                        in(NAMESPACES.join(pid)),
                        with(nsenter, "-m", "-u", "-i", "-n", "-p", "-C", "-T", "setsid"))),
                forked(row("ns.user", in(NAMESPACES.join(pid, Namespace.values())), with(nsenter, "-a", "setsid"))));
    }

    @Test
    void unprivilegedNamespacesEqualThoseOfUnshare() throws Exception {
        assertEquals("{}\n{}\n{}\n", new Jvm().asNobody().run(NobodyMain.class).requireSuccess());
    }

    /** Compares with unshare and nsenter as a user without privilege. */
    static final class NobodyMain {
        public static void main(String[] arguments) throws IOException {
            NamespaceSetup all = NAMESPACES.unshare(Namespace.values()).mapRoot();
            print(newUser(fresh(NAMESPACES.mapRoot(), Namespace.USER, "-r")));
            print(allNew(newUser(forked(fresh(all, Namespace.USER, "-muinpCTrf", "setsid")))));
            try (Helper target = UsermodeHelper.start(
                    ProbeProgram.doing("pause").task(Task.defaults().namespaces(all)))) {
                long pid = target.pid();
                print(forked(row(
                        "",
                        in(NAMESPACES.join(pid, Namespace.values())),
                        "nsenter",
                        "-t",
                        "" + pid,
                        "-a",
                        "--preserve-credentials",
                        "setsid")));
            }
        }

        private static void print(ReferenceToolRow row) throws IOException {
            System.out.println(differences(state(ours(row.asked())), state(theirs(row)), row.unequal()));
        }
    }

    private static Descriptors files() {
        return Descriptors.none()
                .devNull(0)
                .open(
                        1,
                        FOLDER.resolve("oracle.json").toString(),
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING)
                .open(
                        2,
                        FOLDER.resolve("oracle.err").toString(),
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING);
    }

    private static Report ours(Consumer<SubprocessInfo> asked) throws IOException {
        return run(asked, PROBE, List.of(PROBE, "--fd", "1"));
    }

    private static Report theirs(ReferenceToolRow row) throws IOException {
        List<String> argv = new ArrayList<>(List.of("env"));
        argv.addAll(row.tool());
        return run(row.born(), "/usr/bin/env", argv);
    }

    private static Report run(Consumer<SubprocessInfo> asked, String path, List<String> argv) throws IOException {
        SubprocessInfo info = SubprocessInfo.of(path, argv.toArray(String[]::new), UsermodeHelper.kernelEnvironment());
        asked.accept(info.task(info.task().descriptors(files())));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        String output = Files.readString(FOLDER.resolve("oracle.err"));
        assertEquals(0, retval, () -> argv + " " + info.failure() + " " + output);
        return Report.read(FOLDER.resolve("oracle.json"));
    }

    /** Without sequence numbers, and without the flag that privilege was used, which depends on the caller. */
    private static Map<String, String> state(Report report) {
        Map<String, String> state = report.flat();
        String own = Stream.of("pid", "status.Pid")
                .map(report::text)
                .filter(id -> !id.isEmpty())
                .collect(joining("|"));
        state.replaceAll((field, value) ->
                IDS.contains(field) ? value.replaceAll("(?<!\\d)(" + own + ")(?!\\d)", "own") : value);
        state.computeIfPresent(
                "stat.flags_hex", (field, value) -> Long.toHexString(Long.decode(report.text(field)) & ~PF_SUPERPRIV));
        return state;
    }

    private static Map<String, String> differences(
            Map<String, String> ours, Map<String, String> theirs, Map<String, String> unequal) {
        Map<String, String> differences = new TreeMap<>();
        ours.forEach((field, value) -> {
            if (!value.equals(theirs.get(field)) && !unequal.containsKey(field)) {
                differences.put(field, value + " here, " + theirs.get(field) + " there");
            }
        });
        theirs.keySet().stream()
                .filter(field -> !ours.containsKey(field))
                .forEach(field -> differences.put(field, "missing"));
        return differences;
    }
}
