// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/** A listener is called once when a helper has started and once when it has ended, or once when it has failed. */
@ExtendWith(Leaks.class)
final class HelperListenerTest {
    private final Notes notes = new Notes();

    /** Counts as a registry of metrics would. */
    private static final class Notes implements HelperListener {
        private final List<String> output = new ArrayList<>();
        private final List<Long> running = new ArrayList<>();
        private String thread = "";

        @Override
        public synchronized void started(String path, long pid, Duration launch) {
            assertTrue(pid > 1 && launch.toNanos() > 0, path);
            thread = Thread.currentThread().getName();
            running.add(pid);
            output.add("started");
        }

        @Override
        public synchronized void failed(String path, UmhException failure) {
            output.add(failure.stage() + " " + failure.errnoName());
        }

        @Override
        public synchronized void exited(String path, long pid, WaitStatus status, Duration lifetime) {
            assertTrue(lifetime.toNanos() > 0, path);
            output.add(running.remove(pid) ? status.toString() : "was never started");
        }

        synchronized List<String> said() {
            return List.copyOf(output);
        }

        synchronized List<Long> running() {
            return List.copyOf(running);
        }
    }

    @BeforeEach
    void add() {
        UsermodeHelper.addListener(notes);
    }

    @AfterEach
    void remove() {
        UsermodeHelper.removeListener(notes);
    }

    private void assertSays(String... words) throws Exception {
        Await.until("told " + List.of(words), () -> notes.said().size() >= words.length);
        assertEquals(List.of(words), notes.said());
    }

    /** A call that fails comes last: no other event was reported before it. */
    private void assertSaysNoMoreThan(String... words) throws Exception {
        assertSays(words);
        UsermodeHelper.call("/no/such/program", new String[] {"x"}, null, UmhWait.EXEC);
        List<String> all = new ArrayList<>(List.of(words));
        all.add("EXEC ENOENT");
        assertSays(all.toArray(String[]::new));
    }

    @Test
    void eachWayToRunAHelperReportsStartAndEnd() throws Exception {
        UsermodeHelper.exec(ProbeProgram.doing("exit", "1"), UmhWait.PROC);
        assertSays("started", "exit code 1");
        UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), UmhWait.PROC.killable());
        assertSays("started", "exit code 1", "started", "killed by SIGKILL");
        UsermodeHelper.exec(ProbeProgram.doing("exit", "2"), UmhWait.EXEC);
        Await.until("three ends", () -> notes.said().size() == 6);
        UsermodeHelper.exec(ProbeProgram.doing("exit", "3"), UmhWait.NO_WAIT);
        Await.until("four ends", () -> notes.said().size() == 8);
        UsermodeHelper.run(ProbeProgram.doing("exit", "4"), Duration.ofSeconds(20));
        assertSaysNoMoreThan(
                "started",
                "exit code 1",
                "started",
                "killed by SIGKILL",
                "started",
                "exit code 2",
                "started",
                "exit code 3",
                "started",
                "exit code 4");
        assertEquals(List.of(), notes.running());
    }

    @Test
    void driverIsReportedAsAHelper() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
            driver.fork();
            Await.until("one runs", () -> notes.running().size() == 1);
        }
        assertSays("started", "killed by SIGKILL");
    }

    /** While a call blocks its helper runs, and is known to. */
    @Test
    void startIsReportedWhileTheCallerIsBlocked() throws Exception {
        Thread caller = new Thread(() -> UsermodeHelper.exec(ProbeProgram.doing("pause"), UmhWait.PROC));
        caller.start();
        Await.until("one runs", () -> notes.running().size() == 1);
        long pid = notes.running().get(0);
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        caller.join();
        assertSays("started", "killed by SIGKILL");
    }

    @Test
    void failureIsReportedOnceWithStageAndErrno() throws Exception {
        SubprocessInfo missing = SubprocessInfo.of("/no/such", new String[] {"x"}, null);
        UsermodeHelper.exec(missing, UmhWait.PROC);
        UsermodeHelper.exec(SubprocessInfo.of("/etc", new String[] {"x"}, null), UmhWait.PROC.killable());
        UsermodeHelper.exec(SubprocessInfo.of(null, new String[] {"x"}, null), UmhWait.PROC);
        HelperGate.disable();
        UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.NO_WAIT);
        HelperGate.enable();
        assertThrows(UmhException.class, () -> UsermodeDriver.load("empty", new byte[0]));
        assertSaysNoMoreThan("EXEC ENOENT", "EXEC EACCES", "SETUP EINVAL", "DISABLED EBUSY", "BLOB ENOEXEC");
    }

    @Test
    void exceptionOfAListenerFailsNoCall() throws Exception {
        HelperListener odd = new HelperListener() {
            @Override
            public void started(String path, long pid, Duration launch) {
                throw new IllegalStateException("to be logged by the library");
            }
        };
        UsermodeHelper.addListener(odd);
        try {
            assertEquals(256, UsermodeHelper.exec(ProbeProgram.doing("exit", "1"), UmhWait.PROC));
            assertSays("started", "exit code 1");
            assertEquals(256, UsermodeHelper.exec(ProbeProgram.doing("exit", "1"), UmhWait.PROC));
            assertSays("started", "exit code 1", "started", "exit code 1");
        } finally {
            UsermodeHelper.removeListener(odd);
        }
    }

    @Test
    void blockedListenerDelaysNeitherStartNorEnd() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        HelperListener slow = new HelperListener() {
            @Override
            public void started(String path, long pid, Duration launch) {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        };
        UsermodeHelper.addListener(slow);
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "5"))) {
            assertEquals("exit code 5", helper.waitFor().toString());
            assertSays("started", "exit code 5");
        } finally {
            go.countDown();
            UsermodeHelper.removeListener(slow);
        }
    }

    @Test
    void removedListenerIsNotCalled() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            assertSays("started");
            assertTrue(UsermodeHelper.removeListener(notes));
            assertFalse(UsermodeHelper.removeListener(notes));
            helper.kill(Signal.KILL);
            helper.waitFor();
        }
        UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
        assertSays("started");
    }

    @Test
    void listenerIsCalledByAThreadOfTheLibrary() throws Exception {
        UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
        assertSays("started", "exit code 0");
        assertTrue(notes.thread.startsWith("umh4j-worker"), notes.thread);
    }
}
