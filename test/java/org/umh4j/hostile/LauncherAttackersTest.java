// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.umh4j.linux.Capability.*;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.support.Amended;
import org.umh4j.support.Await;
import org.umh4j.support.Filter;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Need;
import org.umh4j.support.OwnCgroup;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Requires;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Shell;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/**
 * Attackers that may inspect the launcher get no access to it, while helpers are started with the identity of the
 * attacker. {@code make attack} makes the test longer: {@code -Dtest.attack.launches=2000}, for each attacker.
 */
@RequiresRoot
@Requires(Need.LANDLOCK)
final class LauncherAttackersTest {
    private static final int LAUNCHES = Integer.getInteger("test.attack.launches", 100);
    /** Under load an attacker may need many more launches until it has met one. */
    private static final int MOST = 100 * LAUNCHES;
    /** Each takes the launcher some time as the helper's user. */
    private static final int OPENED = 150;

    private static final int OUTSIDE = 5;
    private static final long UID = 1_100_000 + ProcessHandle.current().pid() % 100_000;
    private static final CapabilitySet DOCKER = CapabilitySet.of(
            CAP_CHOWN,
            CAP_DAC_OVERRIDE,
            CAP_FOWNER,
            CAP_FSETID,
            CAP_KILL,
            CAP_SETGID,
            CAP_SETUID,
            CAP_SETPCAP,
            CAP_NET_BIND_SERVICE,
            CAP_SYS_CHROOT,
            CAP_MKNOD,
            CAP_AUDIT_WRITE,
            CAP_SETFCAP);
    private static final List<String> NEVER =
            List.of("exe", "mem", "root", "cwd", "maps", "environ", "fd", "getfd", "ptrace", "readv", "writev");
    /** They need the same user and no more; what they change is the launcher's own. */
    private static final List<String> ALLOWED = List.of("signal", "prlimit");

    /** The attributes that attacker and helpers share, and the process whose namespaces they join. */
    private record Room(Cred cred, NamespaceSetup namespaces, String parent, Helper host, Path jail)
            implements AutoCloseable {
        private Room(Cred cred, NamespaceSetup namespaces, String parent, Helper host) {
            this(cred, namespaces, parent, host, null);
        }

        private static Room of(String who) throws IOException {
            Cred root = Cred.defaults()
                    .bounding(DOCKER)
                    .permitted(DOCKER)
                    .inheritable(CapabilitySet.NONE)
                    .noNewPrivs();
            String jvm = "" + ProcessHandle.current().pid();
            switch (who) {
                case "user":
                    return new Room(
                            Cred.defaults()
                                    .uid(UID)
                                    .gid(UID)
                                    .groups(new long[0])
                                    .noNewPrivs(),
                            NamespaceSetup.defaults(),
                            jvm,
                            null);
                case "root":
                    return new Room(root, NamespaceSetup.defaults(), jvm, null);
                case "chroot":
                    return inJail(root, jvm);
                case "container":
                    Helper init =
                            host(Cred.defaults(), NamespaceSetup.defaults().unshare(Namespace.PID, Namespace.MOUNT));
                    return new Room(root, init.namespaces(Namespace.PID, Namespace.MOUNT), "0", init);
                default:
                    NamespaceSetup few =
                            NamespaceSetup.defaults().mapUids(0, UID, 10).mapGids(0, UID, 10);
                    Cred zero = Cred.defaults().uid(0).gid(0).groups(new long[0]);
                    Helper there = host(zero, few);
                    return new Room(zero.noNewPrivs(), there.namespaces(Namespace.USER), jvm, there);
            }
        }

        /** The mount namespace has a /proc there, so that nothing is mounted in the host's own. */
        private static Room inJail(Cred root, String jvm) throws IOException {
            Path jail = Files.createTempDirectory(ProbeProgram.FOLDER, "jail");
            Files.createDirectory(jail.resolve("proc"));
            Files.copy(Path.of(ProbeProgram.path()), jail.resolve("probe"), StandardCopyOption.COPY_ATTRIBUTES);
            Helper mounter = host(
                    Cred.defaults(),
                    NamespaceSetup.defaults().unshare(Namespace.MOUNT),
                    "mount -t proc proc " + jail + "/proc; ");
            return new Room(root, mounter.namespaces(Namespace.MOUNT), jvm, mounter, jail);
        }

        private static Helper host(Cred cred, NamespaceSetup namespaces) throws IOException {
            return host(cred, namespaces, "if test $$ = 1; then mount -t proc proc /proc; fi; ");
        }

        private static Helper host(Cred cred, NamespaceSetup namespaces, String before) throws IOException {
            String script = before + "echo there; read end";
            Helper helper = UsermodeHelper.start(
                    Amended.task(Shell.piped(script), task -> task.cred(cred).namespaces(namespaces)));
            assertEquals('t', helper.stdout().read());
            return helper;
        }

        private Fs fs() {
            return jail == null ? Fs.defaults() : Fs.defaults().root(jail.toString());
        }

        /** A helper with the identity of the attacker. */
        private SubprocessInfo helper() {
            return jail == null
                    ? ProbeProgram.doing("exit", "0")
                    : SubprocessInfo.of("/probe", ProbeProgram.argv("exit", "0"), new String[0]);
        }

        @Override
        public void close() {
            if (host != null) {
                host.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "user",
                "user docker",
                "root",
                "root docker",
                "chroot",
                "chroot docker",
                "container",
                "container docker",
                "namespace",
                "namespace docker"
            })
    void noAttackerReachesTheLauncher(String who) throws Exception {
        String limits = messageQueueLimit();
        try (Room room = Room.of(who.split(" ")[0])) {
            String program =
                    NativeProgram.compileStatic("reacher", room.jail == null ? ProbeProgram.FOLDER : room.jail);
            SubprocessInfo attacker = Amended.task(
                    call(room.jail == null ? program : "/reacher", "reach", room.parent, "too"),
                    task -> task.cred(room.cred).namespaces(room.namespaces).fs(room.fs()));
            if (who.endsWith("docker")) {
                attacker.task(attacker.task().sandbox(Sandbox.defaults().seccomp(Filter.named("docker"))));
            }
            Descriptors files = Descriptors.none().devNull(0).devNull(1).devNull(2);
            for (int i = 0; i < OPENED; i++) {
                files = files.open(3 + i, "/dev/null", StandardOpenOption.READ);
            }
            Descriptors opened = files;
            Map<String, long[]> counts = during(
                    attacker,
                    who,
                    number -> assertEquals(
                            0,
                            UsermodeHelper.exec(
                                    room.helper()
                                            .task(Task.defaults()
                                                    .cred(room.cred)
                                                    .namespaces(room.namespaces)
                                                    .fs(room.fs())
                                                    .descriptors(opened)
                                                    .sandbox(Sandbox.defaults()
                                                            .landlock()
                                                            .readOnly("/"))),
                                    UmhWait.PROC)));
            NEVER.forEach(way -> assertEquals(0, counts.get(way)[1], who + " " + way));
            NEVER.forEach(way -> assertTrue(counts.get(way)[0] > 0, who + " never tried " + way));
            ALLOWED.forEach(way -> assertTrue(counts.get(way)[1] > 0, who + " " + way));
        }
        assertEquals(limits, messageQueueLimit());
    }

    @Test
    void pathsStayInTheRootWhileItsOwnerMovesIt() throws Exception {
        Path base = Files.createTempDirectory(ProbeProgram.FOLDER, "moved");
        for (String folder : List.of("tree/a/d", "outside/x/d")) {
            Files.createDirectories(base.resolve(folder));
        }
        Files.writeString(base.resolve("tree/mark"), "inside");
        Files.writeString(base.resolve("outside/mark"), "OUTSIDE");
        NativeProgram.compileStatic("reacher", base.resolve("tree"));
        assertEquals(
                0,
                new ProcessBuilder("chown", "-R", UID + ":" + UID, base.toString())
                        .start()
                        .waitFor());
        assertEquals(
                0, new ProcessBuilder("chmod", "755", base.toString()).start().waitFor());
        Cred user = Cred.defaults().uid(UID).gid(UID).groups(new long[0]).noNewPrivs();
        String program = NativeProgram.compileStatic("reacher", ProbeProgram.FOLDER);
        SubprocessInfo attacker =
                Amended.task(call(program, "swap", base + "/tree/a", base + "/outside/x"), task -> task.cred(user));
        Map<String, Integer> outcomes = new HashMap<>();
        during(attacker, "owner", number -> outcomes.merge(where(base, user), 1, Integer::sum));
        System.out.println("    owner " + outcomes);
        // outside no rule lets it read the mark: then it reports nothing
        assertTrue(
                outcomes.keySet().stream().allMatch(outcome -> outcome.matches("inside|[A-Z]+ \\d+")),
                outcomes::toString);
        assertTrue(outcomes.containsKey("inside"), outcomes::toString);
    }

    /**
     * The owner may kill helpers in its cgroup and redirect its paths. No caller blocks, and the JVM stays in its
     * cgroup.
     */
    @Test
    void ownerOfACgroupBlocksNoCaller() throws Exception {
        Path base = Files.createTempDirectory(ProbeProgram.FOLDER, "owner");
        String program = NativeProgram.compileStatic("reacher", ProbeProgram.FOLDER);
        List<String> before = Files.readAllLines(Path.of("/proc/self/cgroup"));
        Map<String, Integer> outcomes = new HashMap<>();
        try (OwnCgroup own = OwnCgroup.make("attackers");
                OwnCgroup other = OwnCgroup.make("others")) {
            Path inner = Files.createDirectory(own.folder().resolve("inner"));
            Path link = Files.createSymbolicLink(base.resolve("cgroup"), own.folder());
            String owner = UID + ":" + UID;
            assertEquals(
                    0,
                    new ProcessBuilder("chown", "-R", "-h", owner, own.folder().toString(), base.toString())
                            .start()
                            .waitFor());
            Cred user = Cred.defaults().uid(UID).gid(UID).groups(new long[0]).noNewPrivs();
            SubprocessInfo attacker = Amended.task(
                    call(
                            program,
                            "own",
                            own.folder().toString(),
                            "" + ProcessHandle.current().pid(),
                            link.toString(),
                            own.folder().toString(),
                            other.folder().toString(),
                            "/tmp",
                            own.folder() + "/inner"),
                    task -> task.cred(user));
            Map<String, long[]> counts = during(
                    attacker,
                    "owner of a cgroup",
                    number -> outcomes.merge(ranIn(number % 2 == 0 ? own.folder() : link), 1, Integer::sum));
            Files.writeString(own.folder().resolve("cgroup.freeze"), "0");
            System.out.println("    owner of a cgroup " + outcomes);
            Await.until("the inner cgroup is removed", () -> inner.toFile().delete());
            for (String deed : List.of("freeze", "thaw", "kill", "retarget")) {
                assertTrue(counts.get(deed)[1] > 0, deed);
            }
            assertEquals(0, counts.get("take")[1], "the JVM was moved");
            String inside = "0::/umh4j-(attackers|others)-\\d+(/inner)?";
            assertTrue(
                    outcomes.keySet().stream()
                            .allMatch(
                                    outcome -> outcome.matches(inside + "|killed|CGROUP (EBUSY|EINVAL)|KILLED EINTR")),
                    outcomes::toString);
        }
        assertEquals(before, Files.readAllLines(Path.of("/proc/self/cgroup")));
    }

    /** The cgroup that a helper has seen itself in, or the way that it has ended. */
    private static String ranIn(Path cgroup) {
        SubprocessInfo info = SubprocessInfo.of(
                        "/bin/grep", new String[] {"grep", "^0::", "/proc/self/cgroup"}, new String[0])
                .task(Task.defaults()
                        .descriptors(Descriptors.none().devNull(0).pipeToJvm(1).devNull(2))
                        .limits(Limits.defaults().cgroup(cgroup.toString())));
        try {
            var result = UsermodeHelper.run(info, Duration.ofSeconds(20));
            return result.status().raw() == 9
                    ? "killed"
                    : new String(result.stdout(), StandardCharsets.US_ASCII).strip();
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        } catch (IOException | InterruptedException e) {
            return e.toString();
        }
    }

    /** Helpers that are given the directory outside, and may look there only if a rule got there. */
    private static String where(Path base, Cred user) {
        SubprocessInfo info = SubprocessInfo.of("/reacher", new String[] {"reacher", "where"}, new String[0])
                .task(Task.defaults()
                        .cred(user)
                        .fs(Fs.defaults().root(base + "/tree").cwd("/a/d/../.."))
                        .descriptors(Descriptors.none()
                                .devNull(0)
                                .pipeToJvm(1)
                                .devNull(2)
                                .open(OUTSIDE, base + "/outside", StandardOpenOption.READ))
                        .sandbox(Sandbox.defaults().landlock().readOnly("/").readOnly("/a/d/../..")));
        try (Helper helper = UsermodeHelper.start(info)) {
            return new String(helper.stdout().readAllBytes(), StandardCharsets.US_ASCII).strip();
        } catch (UmhException e) {
            return e.stage() + " " + e.errno();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static SubprocessInfo call(String program, String... arguments) {
        String[] argv = new String[arguments.length + 1];
        argv[0] = "reacher";
        System.arraycopy(arguments, 0, argv, 1, arguments.length);
        return SubprocessInfo.of(program, argv, new String[0])
                .task(Task.defaults()
                        .descriptors(
                                Descriptors.none().pipeFromJvm(0).pipeToJvm(1).devNull(2))
                        .signals(SignalState.defaults().parentDeathSignal(Signal.KILL)));
    }

    /** Launches until the count is reached and the attacker has reported an encounter. */
    private static Map<String, long[]> during(SubprocessInfo info, String who, java.util.function.IntConsumer launch)
            throws IOException {
        Map<String, long[]> counts = new HashMap<>();
        try (Helper attacker = UsermodeHelper.start(info)) {
            int number = 0;
            while (number < LAUNCHES || number < MOST && attacker.stdout().available() == 0) {
                launch.accept(number++);
            }
            attacker.stdin().close();
            String output = new String(attacker.stdout().readAllBytes(), StandardCharsets.US_ASCII);
            System.out.println("    " + who + ": " + number + " launches, " + output.replace("\n", ", "));
            assertTrue(output.startsWith("seen\n"), who + " has met no launcher");
            output.lines()
                    .skip(1)
                    .map(line -> line.split(" "))
                    .forEach(words ->
                            counts.put(words[0], new long[] {Long.parseLong(words[1]), Long.parseLong(words[2])}));
        }
        return counts;
    }

    private static String messageQueueLimit() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/limits")).stream()
                .filter(line -> line.startsWith("Max msgqueue"))
                .findFirst()
                .orElseThrow();
    }
}
