// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Shell;
import org.umh4j.task.KillScope;
import org.umh4j.task.Limits;
import org.umh4j.task.Session;
import org.umh4j.task.Task;

/** The processes that a signal reaches: those that a helper has started, and no others. */
@ExtendWith(Leaks.class)
final class SessionKillTest {
    /** Three grandchildren: one in the helper's group, one in a new group, one in a new session. */
    private static final String FAMILY = """
            sleep 1000 & echo $!
            perl -e '$| = 1; setpgrp; print "$$\\n"; sleep 1000' &
            setsid -f sh -c 'echo $$; exec sleep 1000'
            """;

    private static final int MEMBERS = 3;

    private final List<Long> family = new ArrayList<>();

    /** Reads who there is; in the order of FAMILY. */
    private void meet(Helper helper) throws Exception {
        BufferedReader out = new BufferedReader(new InputStreamReader(helper.stdout(), StandardCharsets.US_ASCII));
        for (int i = 0; i < MEMBERS; i++) {
            family.add(Long.parseLong(out.readLine()));
        }
        family.sort((one, other) -> Integer.compare(rank(helper, one), rank(helper, other)));
    }

    private static int rank(Helper helper, long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[2]) == helper.pid() ? 0 : Long.parseLong(fields[3]) == helper.pid() ? 1 : 2;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** The first so many have gone, soon, and the others have not. */
    private void assertGone(int count) throws Exception {
        for (int i = 0; i < MEMBERS; i++) {
            long pid = family.get(i);
            if (i < count) {
                Await.until("member " + i + " has gone", () -> !Pid.isRunning(pid));
            } else {
                assertTrue(Pid.isRunning(pid), "member " + i + " has gone");
            }
        }
    }

    @AfterEach
    void end() {
        family.forEach(Pid::end);
    }

    private static SubprocessInfo call(String then) {
        return Shell.piped(FAMILY + then);
    }

    private static SubprocessInfo call(String then, UnaryOperator<Task> change) {
        SubprocessInfo info = call(then);
        return info.task(change.apply(info.task()));
    }

    @ParameterizedTest
    @EnumSource(
            value = KillScope.class,
            names = {"PROCESS", "GROUP", "SESSION"})
    void signalReachesItsScope(KillScope scope) throws Exception {
        // Its children may be signaled first, where their numbers are lower: it stays until its own turn.
        try (Helper helper = UsermodeHelper.start(call("wait; exec sleep 60"));
                Helper stranger = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            meet(helper);
            assertTrue(helper.kill(scope, Signal.TERM));
            assertEquals(15, helper.waitFor(Await.PATIENCE).orElseThrow().signal());
            assertGone(scope.ordinal());
            assertTrue(stranger.isAlive());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = KillScope.class,
            names = {"PROCESS", "GROUP", "SESSION"})
    void closeKillsTheScopeOfTheTask(KillScope scope) throws Exception {
        Helper helper = UsermodeHelper.start(call("wait", task -> task.scope(scope)));
        meet(helper);
        helper.close();
        assertEquals(9, helper.status().orElseThrow().signal());
        assertGone(scope.ordinal());
    }

    @ParameterizedTest
    @EnumSource(
            value = KillScope.class,
            names = {"GROUP", "SESSION"})
    void scopeOfTheTaskIsReachedAfterTheHelpersEnd(KillScope scope) throws Exception {
        Need.GROUP_SIGNALS.orSkip();
        Helper helper = UsermodeHelper.start(call("exit 5", task -> task.scope(scope)));
        meet(helper);
        assertEquals(5, helper.waitFor(Await.PATIENCE).orElseThrow().exitCode());
        assertTrue(helper.kill(scope, Signal.CONT));
        helper.close();
        assertGone(scope.ordinal());
        assertFalse(helper.kill(scope, Signal.KILL), "nobody asks after close");
    }

    @ParameterizedTest
    @EnumSource(
            value = KillScope.class,
            names = {"PROCESS", "GROUP", "SESSION"})
    void withoutScopeNothingIsReachedAfterTheHelpersEnd(KillScope scope) throws Exception {
        try (Helper helper = UsermodeHelper.start(call("exit 5"))) {
            meet(helper);
            helper.waitFor();
            assertFalse(helper.kill(scope, Signal.KILL));
            assertGone(0);
        }
    }

    @Test
    void helperThatLeadsNoGroupDoesNotReachTheJvms() throws Exception {
        for (KillScope scope : new KillScope[] {KillScope.GROUP, KillScope.SESSION}) {
            SubprocessInfo info = ProbeProgram.doing("pause")
                    .task(Task.defaults().session(Session.inherited()).scope(scope));
            try (Helper helper = UsermodeHelper.start(info)) {
                assertFalse(helper.kill(scope, Signal.KILL));
                assertTrue(helper.isAlive());
            }
        }
    }

    @Test
    void cgroupMustBeNamedAndTakesOnlySigkill() throws Exception {
        SubprocessInfo info = ProbeProgram.doing("pause").task(Task.defaults().scope(KillScope.CGROUP));
        assertThrows(IllegalArgumentException.class, () -> UsermodeHelper.start(info));
        assertEquals(0, info.pid());
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            assertThrows(IllegalArgumentException.class, () -> helper.kill(KillScope.CGROUP, Signal.KILL));
            assertThrows(IllegalArgumentException.class, () -> helper.kill(KillScope.CGROUP, Signal.TERM));
            assertTrue(helper.isAlive());
        }
    }

    @Test
    @RequiresRoot
    void cgroupScopeReachesDaemons() throws Exception {
        for (String then : new String[] {"wait", "exit 0"}) {
            Path group = cgroup("umh4j-scope");
            try {
                SubprocessInfo info = call(
                        then,
                        task -> task.limits(Limits.defaults().cgroup(group.toString()))
                                .scope(KillScope.CGROUP));
                Helper helper = UsermodeHelper.start(info);
                try (Helper stranger = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                    family.clear();
                    meet(helper);
                    assertThrows(IllegalArgumentException.class, () -> helper.kill(KillScope.CGROUP, Signal.TERM));
                    helper.close();
                    assertGone(MEMBERS);
                    assertTrue(stranger.isAlive());
                    Await.until("nobody is there", () -> !helper.kill(KillScope.CGROUP, Signal.KILL));
                }
            } finally {
                remove(group);
            }
        }
    }

    @Test
    @RequiresRoot
    void removedCgroupHasNoMembers() throws Exception {
        Path group = cgroup("umh4j-gone");
        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                .task(Task.defaults().limits(Limits.defaults().cgroup(group.toString())));
        try (Helper helper = UsermodeHelper.start(info)) {
            helper.waitFor();
            remove(group);
            assertFalse(helper.kill(KillScope.CGROUP, Signal.KILL));
        }
    }

    /** A child that is born frozen would hold the start, and the JVM's end with it. */
    @Test
    @RequiresRoot
    void frozenCgroupIsRefused() throws Exception {
        Path group = cgroup("umh4j-frozen");
        Path below = Files.createDirectory(group.resolve("below"));
        Files.writeString(group.resolve("cgroup.freeze"), "1");
        assertEquals("CGROUP EBUSY", refusal(below));
        Files.writeString(group.resolve("cgroup.freeze"), "0");
        assertEquals("", refusal(below));
        remove(below);
        remove(group);
    }

    @Test
    @RequiresRoot
    void cgroupBelowAThreadedOneIsRefused() throws Exception {
        Path group = cgroup("umh4j-threaded");
        Path threaded = Files.createDirectory(group.resolve("threaded"));
        Path below = Files.createDirectory(threaded.resolve("below"));
        Files.writeString(threaded.resolve("cgroup.type"), "threaded");
        assertEquals("", refusal(threaded));
        assertEquals("CGROUP EOPNOTSUPP", refusal(below));
        for (Path each : new Path[] {below, threaded, group}) {
            remove(each);
        }
    }

    private static String refusal(Path group) throws IOException, InterruptedException {
        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                .task(Task.defaults().limits(Limits.defaults().cgroup(group.toString())));
        try (Helper helper = UsermodeHelper.start(info)) {
            return helper.waitFor().success() ? "" : helper.toString();
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    /** A directory with the files of a cgroup of Linux 5.13: its members and those below are killed one by one. */
    @Test
    void withoutCgroupKillEachMemberIsKilled() throws Exception {
        Path group = Files.createTempDirectory("cgroup");
        Path below = Files.createDirectory(group.resolve("below"));
        try (Helper one = UsermodeHelper.start(ProbeProgram.doing("pause"));
                Helper two = UsermodeHelper.start(ProbeProgram.doing("pause"));
                Helper stranger = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            Files.writeString(group.resolve("cgroup.events"), "populated 1\nfrozen 0\n");
            Files.writeString(group.resolve("cgroup.procs"), one.pid() + "\n");
            Files.writeString(below.resolve("cgroup.procs"), two.pid() + "\n");
            assertTrue(CgroupKill.signal(group.toString(), Signal.KILL));
            assertEquals(9, one.waitFor(Await.PATIENCE).orElseThrow().signal());
            assertEquals(9, two.waitFor(Await.PATIENCE).orElseThrow().signal());
            assertTrue(stranger.isAlive());
            assertFalse(Files.exists(group.resolve("cgroup.kill")), "no file is made");
        } finally {
            for (Path path : new Path[] {
                below.resolve("cgroup.procs"),
                below,
                group.resolve("cgroup.procs"),
                group.resolve("cgroup.events"),
                group
            }) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static Path cgroup(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            if (line.contains(" - cgroup2 ")) {
                Path folder = Path.of(line.split(" ")[4], name);
                folder.toFile().mkdir();
                if (!folder.resolve("cgroup.kill").toFile().exists()) {
                    Need.CGROUP.missing();
                }
                return folder;
            }
        }
        return Need.CGROUP.missing();
    }

    /** It can't be removed as long as anybody in it is on the way out. */
    private static void remove(Path group) throws Exception {
        Await.until(
                "the cgroup is removed",
                () -> group.toFile().delete() || !group.toFile().exists());
    }
}
