// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.umh4j.linux.Capability.CAP_CHOWN;
import static org.umh4j.linux.Capability.CAP_KILL;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.HelperPaths;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/**
 * An impossible task is rejected when it is built or started, or by the kernel at its stage. Then there is no
 * process.
 */
@ExtendWith(Leaks.class)
final class ImpossibleTaskTest {
    private static final Cred CRED = Cred.defaults();
    private static final Sched SCHED = Sched.defaults();
    private static final Limits LIMITS = Limits.defaults();
    private static final NamespaceSetup NAMESPACES = NamespaceSetup.defaults();
    private static final Sandbox SANDBOX = Sandbox.defaults();
    private static final CapabilitySet CHOWN = CapabilitySet.of(CAP_CHOWN);
    private static final CapabilitySet KILL = CapabilitySet.of(CAP_KILL);
    private static final CapabilitySet UNKNOWN = new CapabilitySet(1L << 63);

    /** Something that no kernel would take, and what has to be in the message. */
    record Refusal(String message, Executable said) {
        @Override
        public String toString() {
            return message;
        }
    }

    private static Refusal refusal(String message, Executable said) {
        return new Refusal(message, said);
    }

    private static SubprocessInfo probe() {
        return ProbeProgram.doing("exit", "0");
    }

    static Stream<Refusal> identities() {
        return Stream.of(
                refusal("uid -1 is not in 0 to 4294967294", () -> CRED.uid(-1)),
                refusal("uid 4294967295 is not in 0 to", () -> CRED.uids(0, 0xffff_ffffL, 0)),
                refusal("gid -1 is not in", () -> CRED.gid(-1)),
                refusal("group 4294967295 is not in", () -> CRED.groups(1, 0xffff_ffffL)),
                refusal("65537 groups are more than 65536", () -> CRED.groups(new long[65_537])),
                refusal("no-such-user", () -> CRED.user("no-such-user")),
                refusal("no-such-group", () -> CRED.group("no-such-group")),
                refusal("inheritable has cap_63, which this kernel does not know", () -> CRED.inheritable(UNKNOWN)),
                refusal("permitted has cap_63", () -> CRED.permitted(UNKNOWN)),
                refusal("effective has cap_63", () -> CRED.effective(UNKNOWN)),
                refusal("ambient has cap_63", () -> CRED.ambient(UNKNOWN)),
                refusal("no capability 'cap_of_darkness'", () -> CapabilitySet.parse("cap_chown,cap_of_darkness")),
                refusal("no capability 'cap_64'", () -> CapabilitySet.parse("cap_64")),
                refusal("this kernel has no cap_63", () -> CapabilitySet.parse("cap_63")),
                refusal("this kernel has no cap_63", () -> CapabilitySet.parse("8000000000000000")),
                refusal("not a capability set of at most 16", () -> CapabilitySet.parse("0x10000000000000000")),
                refusal(
                        "ambient cap_chown is not inheritable",
                        () -> probe().task(Task.defaults().cred(CRED.ambient(CHOWN)))),
                refusal(
                        "ambient cap_chown is not permitted",
                        () -> probe().task(Task.defaults()
                                .cred(CRED.permitted(KILL).inheritable(CHOWN).ambient(CHOWN)))),
                refusal(
                        "ambient cap_chown with another uid needs permitted",
                        () -> probe().task(Task.defaults()
                                .cred(CRED.uid(1).inheritable(CHOWN).ambient(CHOWN)))),
                refusal(
                        "effective cap_chown is not permitted",
                        () -> probe().task(Task.defaults()
                                .cred(CRED.permitted(KILL).effective(CHOWN)))),
                refusal("keyring has a NUL", () -> CRED.newKeyring("a\0")),
                refusal("execLabel has a NUL", () -> CRED.execLabel("a\0")));
    }

    static Stream<Refusal> places() {
        return Stream.of(
                refusal("umask 01000 is not in 0 to 0777", () -> Fs.defaults().umask(01000)),
                refusal("umask 037777777777 is not in", () -> Fs.defaults().umask(-1)),
                refusal("root has a NUL", () -> Fs.defaults().root("/\0")),
                refusal("cwd has a NUL", () -> Fs.defaults().cwd("/\0")),
                refusal(
                        "descriptor 65536 is not in 0 to 65535",
                        () -> Descriptors.none().pipeToJvm(65_536)),
                refusal("descriptor -1 is negative", () -> Descriptors.none().inherit(3, -1)),
                refusal(
                        "descriptor 2 can't duplicate 1, which is not in the map",
                        () -> Descriptors.none().duplicate(2, 1)),
                refusal(
                        "DELETE_ON_CLOSE: open(2) has no flag for it",
                        () -> Descriptors.none().open(1, "/x", StandardOpenOption.DELETE_ON_CLOSE)),
                refusal(
                        "NOFOLLOW_LINKS: open(2) has no flag for it",
                        () -> Descriptors.none().open(1, "/x", LinkOption.NOFOLLOW_LINKS)),
                refusal(
                        "holds no descriptor",
                        () -> UsermodeHelper.exec(
                                probe().task(Task.defaults()
                                        .descriptors(Descriptors.none().inherit(1, held()))),
                                UmhWait.PROC)),
                refusal(
                        "exec does not return the other ends",
                        () -> UsermodeHelper.exec(
                                probe().task(Task.defaults()
                                        .descriptors(Descriptors.none().pipeToJvm(1))),
                                UmhWait.PROC)),
                refusal("descriptor -1 is negative", () -> Session.terminal(-1)),
                refusal(
                        "personality 0xffffffff only queries the current one",
                        () -> probe().task(Task.defaults().personality(-1))));
    }

    /** A channel that is not the JDK's own. */
    private static ReadableByteChannel held() {
        return Channels.newChannel(new java.io.ByteArrayInputStream(new byte[0]));
    }

    static Stream<Refusal> amounts() {
        Duration day = Duration.ofDays(1);
        Duration ages = Duration.ofSeconds(Long.MAX_VALUE);
        return Stream.of(
                refusal("NOFILE: soft limit 2 is above the hard one 1", () -> LIMITS.rlimit(Rlimit.NOFILE, 2, 1)),
                refusal(
                        "CPU: soft limit infinity is above the hard one 1",
                        () -> LIMITS.rlimit(Rlimit.CPU, Rlimit.INFINITY, 1)),
                refusal("CORE: limit -2 is negative", () -> LIMITS.rlimit(Rlimit.CORE, -2)),
                refusal("oom_score_adj 1001 is not in -1000 to 1000", () -> LIMITS.oomScoreAdj(1001)),
                refusal("oom_score_adj -1001", () -> LIMITS.oomScoreAdj(-1001)),
                refusal("coredump filter 0x200 is not in 0 to 0x1ff", () -> LIMITS.coredumpFilter(0x200)),
                refusal("cgroup has a NUL", () -> LIMITS.cgroup("/\0")),
                refusal("descriptor -1 is negative", () -> LIMITS.cgroup(-1)),
                refusal("nice value 20 is not in -20 to 19", () -> SCHED.nice(20)),
                refusal("nice value -21", () -> SCHED.nice(-21)),
                refusal("real-time priority 0 is not in 1 to 99", () -> SCHED.fifo(0)),
                refusal("real-time priority 100", () -> SCHED.rr(100)),
                refusal("not in rising order from 1 µs", () -> SCHED.deadline(day, Duration.ofHours(1), day)),
                refusal("not in rising order from 1 µs", () -> SCHED.deadline(Duration.ofNanos(1000), day, day)),
                refusal("period PT2562047788015215H30M7S is more than", () -> SCHED.deadline(day, day, ages)),
                refusal("numbers has no cpu", () -> SCHED.affinity()),
                refusal("cpu 65536 is not in 0 to 65535", () -> SCHED.affinity(65_536)),
                refusal(
                        "I/O level 8 of BEST_EFFORT is not in 0 to 7",
                        () -> SCHED.ioprio(Sched.IoClass.BEST_EFFORT, 8)),
                refusal("I/O level 1 of IDLE is not in 0 to 0", () -> SCHED.ioprio(Sched.IoClass.IDLE, 1)),
                refusal("timer slack PT0S is not positive", () -> SCHED.timerSlack(Duration.ZERO)),
                refusal("timer slack PT2562047788015215H30M7S is more than", () -> SCHED.timerSlack(ages)),
                refusal(
                        "timer slack is for other policies",
                        () -> probe().task(Task.defaults()
                                .sched(SCHED.timerSlack(day).fifo(1)))),
                refusal("limit -1 is negative", () -> RunOptions.defaults().outputLimit(-1)));
    }

    static Stream<Refusal> views() {
        NamespaceSetup user = NAMESPACES.unshare(Namespace.USER);
        return Stream.of(
                refusal(
                        "a new user namespace needs maps",
                        () -> probe().task(Task.defaults().namespaces(user))),
                refusal(
                        "a new user namespace needs maps",
                        () -> probe().task(Task.defaults().namespaces(NAMESPACES.mapUids(0, 1, 1)))),
                refusal("id -1 is not in 0 to 4294967294", () -> NAMESPACES.mapSelf(-1, 0)),
                refusal("id 4294967295 is not in", () -> NAMESPACES.mapSelf(0, 0xffff_ffffL)),
                refusal("id -1 is not in", () -> NAMESPACES.mapUids(-1, 0, 1)),
                refusal("id 4294967295 is not in", () -> NAMESPACES.mapGids(2, 4_294_967_290L, 6)),
                refusal("at least one id", () -> NAMESPACES.mapUids(0, 0, 0)),
                refusal(
                        "range 9 2000 1 overlaps another",
                        () -> NAMESPACES.mapUids(0, 1000, 10).mapUids(9, 2000, 1)),
                refusal(
                        "range 10 1009 1 overlaps another",
                        () -> NAMESPACES.mapGids(0, 1000, 10).mapGids(10, 1009, 1)),
                refusal("a map has 1 to 340 ranges", ImpossibleTaskTest::mapOf341Ranges),
                refusal(
                        "groups can't be set where the map of gids was written without privilege",
                        () -> UsermodeHelper.exec(
                                probe().task(Task.defaults()
                                        .namespaces(NAMESPACES.mapRoot())
                                        .cred(CRED.groups(1))),
                                UmhWait.PROC)),
                refusal("pid 0 is not positive", () -> NAMESPACES.join(0)),
                refusal("pid 2147483648", () -> NAMESPACES.join(1L << 31)),
                refusal("path has a NUL", () -> NAMESPACES.joinFile(Namespace.NET, "/\0")),
                refusal("no namespace 'space'", () -> Namespace.of("space")),
                refusal("a filter of 0 bytes is not 1 to 4096 instructions", () -> SANDBOX.seccomp(new byte[0])),
                refusal("a filter of 12 bytes", () -> SANDBOX.seccomp(new byte[12])),
                refusal("a filter of 32776 bytes", () -> SANDBOX.seccomp(new byte[4097 * 8])),
                refusal("landlock path has a NUL", () -> SANDBOX.readOnly("/\0")),
                refusal("landlock access 0x0 is not in 1 to 0xffff", () -> SANDBOX.rule("/", 0)),
                refusal("landlock access 0x10000 is not in", () -> SANDBOX.rule("/", 1 << 16)),
                refusal(
                        "signal 0 is not in 1 to 64",
                        () -> SignalState.defaults().block(0)),
                refusal("signal 65 is not in", () -> SignalState.defaults().ignore(65)),
                refusal(
                        "can be neither blocked nor ignored",
                        () -> SignalState.defaults().ignore(9)),
                refusal(
                        "can be neither blocked nor ignored",
                        () -> SignalState.defaults().block(15, 19)));
    }

    private static void mapOf341Ranges() {
        NamespaceSetup map = NAMESPACES;
        for (int id = 0; id <= 340; id++) {
            map = map.mapUids(id, id, 1);
        }
    }

    @ParameterizedTest
    @MethodSource({"identities", "places", "amounts", "views"})
    void impossibleValueIsRejectedWithFieldAndLimit(Refusal refusal) {
        String message =
                assertThrows(IllegalArgumentException.class, refusal.said()).getMessage();
        assertTrue(message.contains(refusal.message()), message);
    }

    /** A value that this host refuses, and the stage of the failure. */
    record Failure(String expected, Consumer<SubprocessInfo> asked) {
        @Override
        public String toString() {
            return expected;
        }
    }

    private static Failure fails(String expected, Consumer<SubprocessInfo> asked) {
        return new Failure(expected, asked);
    }

    private static Failure cred(String expected, Cred cred) {
        return fails(expected, info -> info.task(info.task().cred(cred)));
    }

    private static Failure sched(String expected, Sched sched) {
        return fails(expected, info -> info.task(info.task().sched(sched)));
    }

    private static Failure namespaces(String expected, NamespaceSetup namespaces) {
        return fails(expected, info -> info.task(info.task().namespaces(namespaces)));
    }

    static Stream<Failure> credentials() {
        return Stream.of(
                fails(
                        "UID EINVAL",
                        info -> info.task(
                                info.task().namespaces(NAMESPACES.mapRoot()).cred(CRED.uid(5)))),
                fails(
                        "GID EINVAL",
                        info -> info.task(
                                info.task().namespaces(NAMESPACES.mapRoot()).cred(CRED.gid(5)))),
                fails(
                        "GROUPS EINVAL",
                        info -> info.task(info.task().namespaces(ranges()).cred(CRED.groups(50)))),
                cred("CAPABILITIES EPERM", CRED.bounding(KILL).inheritable(CHOWN)),
                cred("EFFECTIVE EPERM", CRED.uid(1).keepGid().effective(CHOWN)),
                cred("KEYRING EPERM", CRED.newKeyring(".dot")),
                cred("KEYRING EINVAL", CRED.newKeyring("k".repeat(4096))),
                cred("EXEC_LABEL EINVAL", CRED.execLabel("no-such-label")));
    }

    private static NamespaceSetup ranges() {
        return NAMESPACES.mapUids(0, 0, 10).mapGids(0, 0, 10);
    }

    static Stream<Failure> paths() throws IOException {
        Descriptors file = Descriptors.none();
        Path folder = ProbeProgram.FOLDER;
        return Stream.of(
                fails(
                        "ROOT ENOTDIR",
                        info -> info.task(info.task().fs(Fs.defaults().root("/etc/passwd")))),
                fails(
                        "ROOT ENOENT",
                        info -> info.task(info.task().fs(Fs.defaults().root("/no/such")))),
                fails(
                        "ROOT ENOENT",
                        info -> info.task(info.task().fs(Fs.defaults().root("")))),
                fails(
                        "CWD ENOTDIR",
                        info -> info.task(info.task().fs(Fs.defaults().cwd("/etc/passwd")))),
                fails(
                        "CWD ENOENT",
                        info -> info.task(info.task()
                                .fs(Fs.defaults().root(folder.toString()).cwd(folder.toString())))),
                fails(
                        "EXEC ENOENT",
                        info -> info.task(info.task().fs(Fs.defaults().root("/proc/sys")))),
                fails(
                        "SOURCE ENOENT",
                        info -> info.task(info.task().descriptors(file.open(3, "/no/such", StandardOpenOption.READ)))),
                fails(
                        "SOURCE EISDIR",
                        info -> info.task(info.task().descriptors(file.open(3, "/etc", StandardOpenOption.WRITE)))),
                fails(
                        "SOURCE EEXIST",
                        info -> info.task(
                                info.task().descriptors(file.open(3, "/etc/passwd", StandardOpenOption.CREATE_NEW)))),
                fails("SOURCE EBADF", info -> info.task(info.task().descriptors(file.inherit(3, 65_000)))),
                fails("CGROUP ENOENT", info -> info.task(info.task().limits(LIMITS.cgroup("/no/such")))),
                fails("CGROUP ENOTDIR", info -> info.task(info.task().limits(LIMITS.cgroup("/etc/passwd")))),
                fails("CGROUP EINVAL", info -> info.task(info.task().limits(LIMITS.cgroup("/etc")))),
                fails("CGROUP EINVAL", info -> info.task(info.task().limits(LIMITS.cgroup(cgroupOfTheFirstVersion())))),
                fails("CGROUP EINVAL", info -> info.task(info.task().limits(LIMITS.cgroup(0)))),
                fails("CGROUP EBADF", info -> info.task(info.task().limits(LIMITS.cgroup(65_000)))),
                fails("TERMINAL ENOTTY", info -> info.task(info.task().session(Session.terminal(nullDevice())))),
                fails("TERMINAL EBADF", info -> info.task(info.task().session(Session.terminal(65_000)))),
                fails(
                        "LANDLOCK ENOENT",
                        info -> info.task(info.task().cred(CRED.noNewPrivs()).sandbox(SANDBOX.readOnly("/no/such")))));
    }

    /** A cgroup if the host has one; otherwise another directory. */
    private static String cgroupOfTheFirstVersion() {
        try {
            return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                    .map(line -> line.split(" "))
                    .filter(mount -> mount[2].equals("cgroup"))
                    .map(mount -> mount[1])
                    .findFirst()
                    .orElse("/proc");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A descriptor of the JVM that is no terminal: the epoll or the socket that the library holds is none either. */
    private static int nullDevice() {
        for (int fd = 3; ; fd++) {
            if (Files.exists(Path.of("/proc/self/fd/" + fd), java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                return fd;
            }
        }
    }

    static Stream<Failure> resources() {
        Duration one = Duration.ofMillis(1);
        Sched deadline = SCHED.deadline(one, one.multipliedBy(20), one.multipliedBy(20));
        return Stream.of(
                sched("AFFINITY EINVAL", SCHED.affinity(65_535)),
                sched("AFFINITY EBUSY", deadline.affinity(0)),
                sched("SCHED EINVAL", SCHED.deadline(one, one, Duration.ofDays(1000))),
                fails(
                        "NOFILE EPERM",
                        info -> info.task(info.task().limits(LIMITS.rlimit(Rlimit.NOFILE, Rlimit.INFINITY)))),
                namespaces("JOIN ESRCH", NAMESPACES.join(deadPid())),
                namespaces("JOIN ENOENT", NAMESPACES.joinFile(Namespace.NET, "/no/such")),
                namespaces("JOIN EINVAL", NAMESPACES.joinFile(Namespace.NET, "/proc/self/ns/uts")),
                namespaces("JOIN EINVAL", NAMESPACES.joinFile(Namespace.NET, "/etc/passwd")),
                namespaces("JOIN EINVAL", NAMESPACES.joinFile(Namespace.USER, "/proc/self/ns/user")),
                fails(
                        "SECCOMP EINVAL",
                        info -> info.task(info.task().cred(CRED.noNewPrivs()).sandbox(SANDBOX.seccomp(new byte[8])))),
                fails(
                        "SECCOMP EINVAL",
                        info -> info.task(
                                info.task().cred(CRED.noNewPrivs()).sandbox(SANDBOX.seccomp(jumpOutside())))));
    }

    /** A helper that has ended and was reaped. */
    private static long deadPid() {
        SubprocessInfo info = probe();
        UsermodeHelper.exec(info, UmhWait.PROC);
        return info.pid();
    }

    /** {@code BPF_JMP | BPF_JA} by 99, then {@code BPF_RET}. */
    private static byte[] jumpOutside() {
        return new byte[] {5, 0, 0, 0, 99, 0, 0, 0, 6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};
    }

    @ParameterizedTest
    @RequiresRoot
    @MethodSource({"credentials", "paths", "resources"})
    void valueThatTheHostRefusesFailsAtItsStage(Failure failure) throws IOException {
        for (UmhWait wait : List.of(UmhWait.EXEC, UmhWait.PROC, UmhWait.PROC.killable())) {
            SubprocessInfo info = probe();
            failure.asked().accept(info);
            int retval = UsermodeHelper.exec(info, wait);
            assertEquals(
                    failure.expected(),
                    info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse("answered " + retval));
        }
        assertEquals(List.of(), Leaks.children());
        assertEquals(0, UsermodeHelper.exec(probe(), UmhWait.PROC));
    }

    @Test
    @RequiresRoot
    void setgroupsThatTheUserNamespaceDeniesFailsAtGroups() throws Exception {
        Jvm.Outcome outcome = new Jvm().under("unshare", "--map-root-user").run(GroupsMain.class);
        assertEquals("GROUPS EPERM\nUID EINVAL\nADMIN 0\n", outcome.requireSuccess());
    }

    /** In a user namespace whose only user is root, and setgroups is denied. */
    static final class GroupsMain {
        public static void main(String[] arguments) {
            for (Cred cred : List.of(CRED.groups(0), CRED.uid(7).keepGid().keepGroups())) {
                SubprocessInfo info = probe().task(Task.defaults().cred(cred));
                UsermodeHelper.exec(info, UmhWait.PROC);
                UmhException failure = info.failure().orElseThrow();
                System.out.println(failure.stage() + " " + failure.errnoName());
            }
            System.out.println("ADMIN "
                    + UsermodeHelper.exec(
                            probe().task(Task.defaults()
                                    .fs(Fs.defaults().root("/").cwd("/tmp"))),
                            UmhWait.PROC));
        }
    }

    @Test
    void mediatorStartsOnlyAllowedPaths() throws Exception {
        assertEquals(
                "POLICY EPERM\n0\n256\nall calls are already redirected to '/bin/false'\n"
                        + "the allowed paths are already [/bin/true]\n",
                new Jvm().run(PathsMain.class).requireSuccess());
        String refused = "POLICY EPERM\n0\n";
        String allowed = "-Dorg.umh4j.allowed.paths=/bin/x:/bin/true";
        assertEquals(refused, new Jvm().option(allowed).run(AllowedMain.class).requireSuccess());
        assertEquals(
                "0\n0\n",
                new Jvm()
                        .option("-Dorg.umh4j.static.path=")
                        .run(AllowedMain.class)
                        .requireSuccess());
    }

    private static String call(String path) {
        SubprocessInfo info = SubprocessInfo.of(path, new String[] {path}, null);
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        return info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse(Integer.toString(retval));
    }

    /** Sets both rules, and each a second time. */
    static final class PathsMain {
        public static void main(String[] arguments) {
            HelperPaths.allowOnly("/bin/true");
            System.out.println(call("/bin/false") + "\n" + call("/bin/true"));
            HelperPaths.redirectAllTo("/bin/false");
            System.out.println(call("/bin/true"));
            for (Executable second :
                    List.<Executable>of(() -> HelperPaths.redirectAllTo("/x"), () -> HelperPaths.allowOnly("/x"))) {
                System.out.println(
                        assertThrows(IllegalStateException.class, second).getMessage());
            }
        }
    }

    /** Calls what a property may forbid. */
    static final class AllowedMain {
        public static void main(String[] arguments) {
            System.out.println(call("/bin/false") + "\n" + call("/bin/true"));
        }
    }
}
