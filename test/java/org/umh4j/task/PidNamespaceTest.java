// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.OwnCgroup;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.VirtualThread;

/** A helper as the first process of a new pid namespace. */
@RequiresRoot
@ExtendWith(Leaks.class)
final class PidNamespaceTest {
    private static final NamespaceSetup NEW = NamespaceSetup.defaults().unshare(Namespace.PID);

    @Test
    void onlySigkillAndHandledSignalsReachIt() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("cat")
                .task(Task.defaults()
                        .namespaces(NEW)
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))))) {
            assertTrue(helper.kill(Signal.TERM));
            helper.stdin().write('x');
            helper.stdin().flush();
            assertEquals('x', helper.stdout().read());
            helper.kill(Signal.KILL);
            assertEquals(9, helper.waitFor().raw());
        }
    }

    @Test
    void itInheritsOrphansAndTheyEndWithIt() throws Exception {
        String script = "echo $$; (sleep 1000 & echo $! > /dev/null); read x";
        SubprocessInfo info = SubprocessInfo.of(
                        "/bin/sh", new String[] {"sh", "-c", script}, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults()
                        .namespaces(NEW)
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1)));
        try (Helper helper = UsermodeHelper.start(info)) {
            assertEquals("1", new BufferedReader(new InputStreamReader(helper.stdout())).readLine());
            Await.until("it has the orphan", () -> !children(helper.pid()).isEmpty());
            long orphan = Long.parseLong(children(helper.pid()).split(" ")[0]);
            helper.stdin().close();
            helper.waitFor();
            assertTrue(!Pid.isRunning(orphan));
        }
    }

    /**
     * {@code cgroup.kill} ends the launcher and its successor at once, and no process is left to report the successor.
     * That moment is rare here; LaunchEventOrdersTest forces it. {@link Leaks} counts what was not reaped. Each launch
     * has a new cgroup: Linux 6.18 kills every process that is cloned into a cgroup after its first cgroup.kill.
     */
    @Test
    void cgroupThatIsKilledAtAnyMomentLeavesNoZombie() throws Exception {
        int starts = Integer.getInteger("test.pid.namespace.starts", 400) / 4;
        Random moments = new Random(1);
        int killed = 0;
        for (int i = 0; i < starts; i++) {
            try (OwnCgroup cgroup = OwnCgroup.make("killed" + i)) {
                Path kill = cgroup.folder().resolve("cgroup.kill");
                if (!Files.exists(kill)) {
                    Need.CGROUP.missing();
                }
                int delay = moments.nextInt(1_500_000);
                Thread killer = new Thread(() -> killAfter(delay, kill));
                killer.start();
                killed += startIn(cgroup, i % 2 == 0 ? UmhWait.PROC : UmhWait.PROC.killable()) == 0 ? 0 : 1;
                Await.end(killer);
            }
        }
        assertTrue(killed > 0, "none was killed");
    }

    private static int startIn(OwnCgroup cgroup, UmhWait wait) {
        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                .task(Task.defaults()
                        .namespaces(NEW)
                        .limits(Limits.defaults().cgroup(cgroup.folder().toString())));
        int retval = UsermodeHelper.exec(info, wait);
        assertTrue(
                info.failure().map(e -> e.stage() == UmhStage.KILLED).orElse(retval == 0 || retval == 9),
                () -> retval + " " + info.failure());
        return retval;
    }

    private static void killAfter(int nanos, Path kill) {
        LockSupport.parkNanos(nanos);
        try {
            Files.writeString(kill, "1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Two processes end in each of these launches, in any order. From virtual threads where there are some: no thread
     * blocks,
     * and the reaper decides. {@code -Dtest.pid.namespace.starts=100000} makes it longer.
     */
    @Test
    void concurrentStartsHaveTheirResults() throws Exception {
        int each = Integer.getInteger("test.pid.namespace.starts", 640) / 16;
        ConcurrentHashMap<Object, LongAdder> answers = new ConcurrentHashMap<>();
        ThreadFactory factory = VirtualThread.exists() ? VirtualThread.factory() : Thread::new;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            threads.add(factory.newThread(() -> {
                for (int k = 0; k < each; k++) {
                    answers.computeIfAbsent(k % 2 == 0 ? absent() : present(), answer -> new LongAdder())
                            .increment();
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(Set.of(-2, "exit code 0"), answers.keySet(), answers.toString());
        assertEquals(
                16L * each, answers.values().stream().mapToLong(LongAdder::sum).sum(), answers.toString());
    }

    private static Object absent() {
        SubprocessInfo info = SubprocessInfo.of("/no/such/program", new String[] {"x"}, null)
                .task(Task.defaults().namespaces(NEW));
        return UsermodeHelper.exec(info, UmhWait.PROC.killable());
    }

    private static Object present() {
        SubprocessInfo info = SubprocessInfo.of("/bin/true", new String[] {"true"}, null)
                .task(Task.defaults().namespaces(NEW));
        try (Helper helper = UsermodeHelper.start(info)) {
            return helper.waitFor().toString();
        } catch (UmhException | InterruptedException e) {
            return e;
        }
    }

    /** A launcher that is found stopped is let go on, and killed when it comes too often; not so the helper. */
    @Test
    void repeatedlyStoppedHelperIsNotKilled(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("end");
        SubprocessInfo info = ProbeProgram.doing("await", file.toString(), "exit", "3")
                .task(Task.defaults().namespaces(NEW));
        CompletableFuture<Integer> retval =
                CompletableFuture.supplyAsync(() -> UsermodeHelper.exec(info, UmhWait.PROC));
        Await.until("it is there", () -> helpers().size() == 1);
        long pid = helpers().get(0);
        for (int i = 0; i < 25; i++) {
            signal("STOP", pid);
            Await.until("it is stopped", () -> Pid.state(pid) == 'T');
            signal("CONT", pid);
            Await.until("it goes on", () -> Pid.state(pid) != 'T');
        }
        Files.createFile(file);
        assertEquals(3 << 8, retval.get());
    }

    /** Those of our children that execute the probe. */
    private static List<Long> helpers() {
        String probe = ProbeProgram.path();
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info().command().filter(probe::equals).isPresent())
                .map(ProcessHandle::pid)
                .toList();
    }

    private static void signal(String name, long pid) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                        .inheritIO()
                        .start()
                        .waitFor());
    }

    private static String children(long pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children"))
                .trim();
    }
}
