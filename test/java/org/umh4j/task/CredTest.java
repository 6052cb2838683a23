// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.Helper;
import org.umh4j.HelperListener;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Amended;
import org.umh4j.support.Filter;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Shell;

/** A helper keeps no part of the JVM's identity unless the task requests it, and unapplied steps are reported. */
@RequiresRoot
@ExtendWith(Leaks.class)
final class CredTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Cred CRED = Cred.defaults();
    private static final NamespaceSetup SHIFTED =
            NamespaceSetup.defaults().mapUids(0, 100_000, 65_536).mapGids(0, 100_000, 65_536);

    private static Cred cred(String what) {
        Cred cred = CRED;
        for (String word : what.split(" ")) {
            String[] parts = word.split("=");
            cred = switch (parts[0]) {
                case "uid" -> cred.uid(Long.parseLong(parts[1]));
                case "gid" -> cred.gid(Long.parseLong(parts[1]));
                case "group" -> cred.groups(Long.parseLong(parts[1]));
                case "keepGid" -> cred.keepGid();
                case "keepGroups" -> cred.keepGroups();
                default -> cred;
            };
        }
        return cred;
    }

    private static String ids(Cred cred, NamespaceSetup namespaces) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(ProbeProgram.path(), ProbeProgram.argv("--fd", "1"), null);
        try {
            String out = UsermodeHelper.run(info.task(info.task().cred(cred).namespaces(namespaces)), LONG)
                    .requireSuccess()
                    .stdoutText();
            String[] fields = {"status.Uid", "status.Gid", "status.Groups"};
            StringBuilder ids = new StringBuilder();
            for (String field : fields) {
                ids.append(Report.parse(out).text(field).trim().split("\\s")[0]).append(' ');
            }
            return ids.toString().trim();
        } catch (IllegalArgumentException e) {
            return e.getMessage().replaceAll(" (without a gid|lacks the JVM's).*", " $1");
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    /** For a JVM of root that has the groups 0, 7 and 8. */
    @ParameterizedTest
    @CsvSource({
        "none, 0 0 0",
        "uid=0, 0 0 0",
        "uid=5, uid 5 without a gid",
        "uid=5 group=3, uid 5 without a gid",
        "uid=5 gid=6, 5 6",
        "uid=5 gid=0, 5 0",
        "uid=5 keepGid, 5 0",
        "uid=5 gid=6 keepGroups, 5 6 0",
        "uid=5 gid=6 group=9, 5 6 9",
        "uid=5 keepGid keepGroups, 5 0 0",
        "gid=6, 0 6 0",
        "uid=0 gid=6, 0 6 0",
        "keepGroups uid=5 group=9 gid=1, 5 1 9",
        "uid=5 keepGid gid=6, 5 6",
        "uid=5 gid=6 keepGid, 5 0",
    })
    void anotherUidDropsTheGroupsAndNeedsAGid(String what, String expected) throws Exception {
        Jvm jvm = new Jvm().shortLived().under("setpriv", "--groups=0,7,8");
        assertEquals(expected + "\n", jvm.run(IdsMain.class, what).requireSuccess());
    }

    /** For each way to make the call. */
    static final class IdsMain {
        public static void main(String[] arguments) throws Exception {
            System.out.println(ids(cred(arguments[0]), NamespaceSetup.defaults()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "none, the map of uids lacks the JVM's",
        "gid=0, the map of uids lacks the JVM's",
        "uid=0, uid 0 without a gid",
        "uid=0 keepGid, the map of gids lacks the JVM's",
        "uid=0 gid=0, 0 0",
        "uid=5 gid=6, 5 6",
        "uid=70000 gid=0, UID EINVAL",
    })
    void mapWithoutTheJvmsIdNeedsAMappedId(String what, String expected) throws Exception {
        assertEquals(expected, ids(cred(what), SHIFTED));
    }

    @Test
    void mapWithTheJvmsIdNeedsNoOther() throws Exception {
        assertTrue(ids(CRED, NamespaceSetup.defaults().mapUids(7, 0, 1).mapGids(8, 0, 1))
                .startsWith("7 8"));
        assertTrue(ids(CRED, NamespaceSetup.defaults().mapRoot()).startsWith("0 0"));
    }

    /** Its maps are not known before; an id that has no place in them is noticed there. */
    @ParameterizedTest
    @CsvSource({"none, GID EINVAL", "uid=0 gid=0, 0 0", "uid=3 gid=4, 3 4"})
    void joinedUserNamespaceNeedsAMappedId(String what, String expected) throws Exception {
        NamespaceSetup few = NamespaceSetup.defaults().mapUids(0, 100_000, 10).mapGids(0, 100_000, 10);
        try (Helper host = UsermodeHelper.start(Amended.task(
                Shell.piped("read end"),
                task -> task.namespaces(few).cred(CRED.uid(0).gid(0))))) {
            assertEquals(expected, ids(cred(what), host.namespaces(Namespace.USER)));
        }
    }

    @Test
    void deniedSetgroupsIsNoFailureWithoutGroups() throws Exception {
        assertEquals(
                "UID EPERM\n", new Jvm().asNobody().run(IdsMain.class, "uid=0").requireSuccess());
    }

    private static String hostname(NamespaceSetup namespaces) throws Exception {
        try {
            return UsermodeHelper.run(
                            Shell.script("cat /proc/sys/kernel/hostname")
                                    .task(Task.defaults().namespaces(namespaces)),
                            LONG)
                    .stdoutText()
                    .trim();
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    private static Helper named(String name) throws Exception {
        Helper helper = UsermodeHelper.start(Amended.task(
                Shell.piped("echo " + name + " >/proc/sys/kernel/hostname; echo; read end"),
                task -> task.namespaces(NamespaceSetup.defaults().unshare(Namespace.UTS))));
        assertEquals('\n', helper.stdout().read());
        return helper;
    }

    @Test
    void joinedNamespaceIsThatOfTheNamedProcess() throws Exception {
        NamespaceSetup none = NamespaceSetup.defaults();
        List<NamespaceSetup> ways;
        Path file;
        try (Helper host = named("umh4j-there")) {
            file = Path.of("/proc/" + host.pid() + "/ns/uts");
            ways = List.of(
                    host.namespaces(Namespace.UTS),
                    none.join(host.pid(), Namespace.UTS),
                    none.join(host.toHandle().orElseThrow(), Namespace.UTS),
                    none.join(host.toHandle().orElseThrow()));
            for (NamespaceSetup way : ways) {
                assertEquals("umh4j-there", hostname(way));
            }
            try (java.io.FileInputStream in = new java.io.FileInputStream(file.toFile())) {
                assertEquals("umh4j-there", hostname(none.joinDescriptor(number(file), Namespace.UTS)));
                assertEquals("JOIN EINVAL", hostname(none.joinDescriptor(number(file), Namespace.NET)));
                assertTrue(in.getFD().valid());
            }
        }
        for (NamespaceSetup way : ways) {
            assertEquals("JOIN ESRCH", hostname(way));
        }
        assertTrue(hostname(none.joinDescriptor(65_000, Namespace.UTS)).endsWith(" EBADF"));
        assertThrows(IllegalArgumentException.class, () -> none.joinDescriptor(-1));
        assertThrows(NullPointerException.class, () -> none.join((ProcessHandle) null));
    }

    /** A descriptor of this JVM that is this namespace. */
    private static int number(Path namespace) throws Exception {
        Path wanted = Files.readSymbolicLink(namespace);
        for (int fd = 3; fd < 1_000; fd++) {
            Path link = Path.of("/proc/self/fd/" + fd);
            if (Files.exists(link, java.nio.file.LinkOption.NOFOLLOW_LINKS)
                    && Files.readSymbolicLink(link).equals(wanted)) {
                return fd;
            }
        }
        throw new AssertionError("no descriptor of " + wanted);
    }

    /** The number is another process's by then: in a pid namespace that gives it out again. */
    @Test
    void namespaceOfAReusedPidIsNotJoined() throws Exception {
        Jvm jvm = new Jvm().shortLived().under("unshare", "--pid", "--fork", "--mount-proc");
        assertEquals(
                "JOIN ESRCH\nJOIN ESRCH\numh4j-later\n",
                jvm.run(ReusedMain.class).requireSuccess());
    }

    /** Joins the namespace of a pid that another process has by then. */
    static final class ReusedMain {
        public static void main(String[] arguments) throws Exception {
            NamespaceSetup none = NamespaceSetup.defaults();
            Helper first = named("umh4j-first");
            long pid = first.pid();
            List<NamespaceSetup> ways = List.of(
                    none.join(pid, Namespace.UTS), none.join(first.toHandle().orElseThrow(), Namespace.UTS));
            first.close();
            Thread.sleep(100); // /proc tells the time of a start in hundredths of a second
            try (Helper second = again(pid)) {
                for (NamespaceSetup way : ways) {
                    System.out.println(hostname(way));
                }
                System.out.println(hostname(second.namespaces(Namespace.UTS)));
            }
        }

        private static Helper again(long pid) throws Exception {
            for (; ; ) {
                Files.writeString(Path.of("/proc/sys/kernel/ns_last_pid"), Long.toString(pid - 1));
                Helper helper = named("umh4j-later");
                if (helper.pid() == pid) {
                    return helper;
                }
                helper.close();
            }
        }
    }

    /** Each way to call reports the unapplied step; a call that requires the step fails. */
    @ParameterizedTest
    @EnumSource(
            value = UmhStage.class,
            names = {"KEYRING", "PERSONALITY"})
    void unappliedStepIsReportedByEachCall(UmhStage stage) throws Exception {
        String call = stage == UmhStage.KEYRING ? "keyctl" : "personality";
        String out = refusing(KeptMain.class, call, "EPERM", stage.name());
        String kept = "[" + stage + "]\n";
        assertEquals(
                "exec 0 " + kept + "start " + kept + "run " + kept + "parked 0 " + kept + "told " + kept + "insisted "
                        + stage + " EPERM\n",
                out);
    }

    private static String refusing(Class<?> main, String call, String errno, String... arguments) throws Exception {
        List<String> command = new Jvm().shortLived().command(main, arguments);
        SubprocessInfo info = SubprocessInfo.of(
                        command.get(0), command.toArray(String[]::new), new String[] {"PATH=/usr/bin:/bin"})
                .task(Task.defaults()
                        .cred(CRED.noNewPrivs())
                        .sandbox(Sandbox.defaults()
                                .seccomp(Filter.refusing(
                                        call, Errno.valueOf(errno).number()))));
        return UsermodeHelper.run(info, Duration.ofSeconds(90)).requireSuccess().stdoutText();
    }

    /** Prints the unapplied steps that each way to call reports. */
    static final class KeptMain {
        public static void main(String[] arguments) throws Exception {
            SubprocessInfo info = probe();
            System.out.println("exec " + UsermodeHelper.exec(info, UmhWait.PROC) + " " + info.unapplied());
            CompletableFuture<Set<UmhStage>> notified = new CompletableFuture<>();
            try (Helper helper = UsermodeHelper.start(probe())) {
                System.out.println("start " + helper.unapplied());
            }
            System.out.println("run " + UsermodeHelper.run(probe(), LONG).unapplied());
            UsermodeHelper.addListener(new HelperListener() {
                @Override
                public void unapplied(String path, long pid, Set<UmhStage> stages) {
                    notified.complete(stages);
                }
            });
            SubprocessInfo parked = probe();
            System.out.println(
                    "parked " + UsermodeHelper.exec(parked, UmhWait.PROC.killable()) + " " + parked.unapplied());
            System.out.println("told " + notified.get(30, TimeUnit.SECONDS));
            UmhException refused = assertThrows(
                    UmhException.class,
                    () -> UsermodeHelper.start(
                            probe().task(Task.defaults().requireApplied(UmhStage.valueOf(arguments[0])))));
            System.out.println("insisted " + refused.stage() + " " + refused.errnoName());
        }
    }

    private static SubprocessInfo probe() {
        return ProbeProgram.doing("exit", "0");
    }

    /** A helper does not get the JVM's session keyring, unless the task allows it. */
    @Test
    void failedKeyringIsAFailureUnlessAllowed() throws Exception {
        assertEquals("KEYRING EDQUOT\n[KEYRING]\nKEYRING EDQUOT\n", refusing(KeyringMain.class, "keyctl", "EDQUOT"));
    }

    /** Usually, with the consent of the caller, and without again. */
    static final class KeyringMain {
        public static void main(String[] arguments) throws Exception {
            for (SubprocessInfo info :
                    List.of(probe(), probe().task(Task.defaults().allowUnapplied(UmhStage.KEYRING)), probe())) {
                int retval = UsermodeHelper.exec(info, UmhWait.PROC);
                System.out.println(
                        retval == 0
                                ? info.unapplied()
                                : info.failure().orElseThrow().stage() + " "
                                        + info.failure().orElseThrow().errnoName());
            }
        }
    }

    /** A requested step may stay unapplied if the task allows it. */
    @Test
    void requestedStepMayStayUnappliedIfAllowed() throws Exception {
        String out = new Jvm().shortLived().asNobody().run(LeftMain.class).requireSuccess();
        assertEquals("[NICE]\n[OOM_SCORE_ADJ]\n[SCHED]\n[RLIMIT]\n[NOFILE]\n[SECUREBITS]\n", out);
    }

    /** Requests attributes that a JVM of uid 65534 may not set. */
    static final class LeftMain {
        public static void main(String[] arguments) throws Exception {
            Limits limits = Limits.defaults();
            List<SubprocessInfo> calls = List.of(
                    probe().task(Task.defaults()
                            .sched(Sched.defaults().nice(-1))
                            .allowUnapplied(UmhStage.NICE)),
                    probe().task(Task.defaults().limits(limits.oomScoreAdj(-1)).allowUnapplied(UmhStage.OOM_SCORE_ADJ)),
                    probe().task(Task.defaults().sched(Sched.defaults().fifo(1)).allowUnapplied(UmhStage.SCHED)),
                    probe().task(Task.defaults()
                            .limits(limits.rlimit(Rlimit.RTPRIO, 99))
                            .allowUnapplied(UmhStage.RLIMIT)),
                    probe().task(Task.defaults()
                            .limits(limits.rlimit(Rlimit.NOFILE, Rlimit.INFINITY))
                            .allowUnapplied(UmhStage.NOFILE)),
                    probe().task(Task.defaults()
                            .cred(CRED.securebits(Securebit.NOROOT))
                            .allowUnapplied(UmhStage.SECUREBITS)));
            Set<UmhStage> usual = UsermodeHelper.run(probe(), LONG).unapplied();
            for (SubprocessInfo info : calls) {
                Set<UmhStage> kept = java.util.EnumSet.noneOf(UmhStage.class);
                kept.addAll(UsermodeHelper.run(info, LONG).unapplied());
                kept.removeAll(usual);
                System.out.println(kept);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(UmhStage.class)
    void essentialStepCanNotStayUnapplied(UmhStage stage) {
        if (Task.optionalStages().contains(stage)) {
            assertEquals(
                    stage,
                    probe().task(Task.defaults().allowUnapplied(stage).requireApplied(stage)) == null ? null : stage);
        } else {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> probe().task(Task.defaults().allowUnapplied(stage)))
                    .getMessage();
            assertTrue(message.startsWith(stage.name()), message);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> probe().task(Task.defaults().requireApplied(stage)));
        }
    }
}
