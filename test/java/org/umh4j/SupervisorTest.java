// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Supervisor.State;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.task.Fs;
import org.umh4j.task.Task;

/** A supervised driver that ends, hangs, or can't be started. */
@ExtendWith(Leaks.class)
@Timeout(60)
final class SupervisorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(DriverBlobs.PATIENCE_SECONDS);
    private static final Duration MOMENT = Duration.ofMillis(10);

    private final BlockingQueue<Supervisor.StateChange> changes = new LinkedBlockingQueue<>();

    private Supervisor supervisor(UsermodeDriver driver, int limit) {
        return Supervisor.of(driver, 1 << 10)
                .backoff(MOMENT, Duration.ofMillis(100))
                .restartLimit(limit, Duration.ofMinutes(10))
                .listener(changes::add);
    }

    private Supervisor.StateChange change() throws InterruptedException {
        Supervisor.StateChange change = changes.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertTrue(change != null, "no change of state");
        return change;
    }

    private void assertChanges(State... states) throws InterruptedException {
        for (State state : states) {
            assertEquals(state, change().state());
        }
    }

    @Test
    void driverThatEndsIsForkedAgain() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3).start()) {
            assertChanges(State.STARTING, State.RUNNING);
            long first = driver.tgid();
            driver.kill();
            Supervisor.StateChange ended = change();
            assertEquals(State.BACKING_OFF, ended.state());
            assertEquals(9, ended.status().orElseThrow().signal());
            assertEquals(1, ended.restarts());
            assertChanges(State.STARTING, State.RUNNING);
            assertTrue(driver.tgid() != first);
            assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, PATIENCE));
        }
        assertChanges(State.CLOSED);
        assertEquals(0, driver.tgid());
    }

    @Test
    void requestDuringARestartWaitsForIt() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3)
                .backoff(Duration.ofMillis(300), Duration.ofSeconds(1))
                .start()) {
            assertChanges(State.STARTING, State.RUNNING);
            driver.kill();
            assertChanges(State.BACKING_OFF);
            assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, PATIENCE));
        }
    }

    @Test
    void requestWaitsNoLongerThanItsTimeout() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor =
                supervisor(driver, 3).backoff(PATIENCE, PATIENCE).start()) {
            assertChanges(State.STARTING, State.RUNNING);
            driver.kill();
            assertChanges(State.BACKING_OFF);
            assertThrows(TimeoutException.class, () -> supervisor.request(new byte[1], MOMENT));
        }
    }

    @Test
    void runningRequestFailsAndIsNotSentAgain() throws Exception {
        UsermodeDriver driver = UsermodeDriver.load("once", DriverBlobs.script("head -c 9 > /dev/null", "kill -9 $$"))
                .environment("PATH=/usr/bin:/bin");
        try (Supervisor supervisor = supervisor(driver, 3).start()) {
            assertChanges(State.STARTING, State.RUNNING);
            assertThrows(IOException.class, () -> supervisor.request(new byte[1], PATIENCE));
            assertChanges(State.BACKING_OFF, State.STARTING, State.RUNNING);
            assertTrue(driver.isRunning(), "it would have died of the same request");
        }
    }

    /** Right after the first request has failed, the end of the driver may not be known yet. */
    @Test
    void requestAfterAFailedOneGoesToTheNextDriver() throws Exception {
        UsermodeDriver driver = UsermodeDriver.load("second", DriverBlobs.script("head -c 9 > /dev/null", "kill -9 $$"))
                .environment("PATH=/usr/bin:/bin")
                .atExit(status -> changes.add(
                        new Supervisor.StateChange(State.CLOSED, 0, Optional.of(status), Optional.empty())));
        try (Supervisor supervisor =
                supervisor(driver, 50).listener(change -> {}).start()) {
            for (int i = 0; i < 20; i++) {
                assertThrows(IOException.class, () -> supervisor.request(new byte[1], PATIENCE));
            }
            for (int i = 0; i < 20; i++) {
                assertEquals(9, change().status().orElseThrow().signal(), "each request has had a driver of its own");
            }
        }
    }

    @Test
    void driverThatEndsTooOftenIsNotRestarted() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("exit", "7");
        try (Supervisor supervisor = supervisor(driver, 2).start()) {
            assertChanges(
                    State.STARTING,
                    State.RUNNING,
                    State.BACKING_OFF,
                    State.STARTING,
                    State.RUNNING,
                    State.BACKING_OFF,
                    State.STARTING,
                    State.RUNNING);
            Supervisor.StateChange last = change();
            assertEquals(State.GIVEN_UP, last.state());
            assertEquals(7, last.status().orElseThrow().exitCode());
            assertThrows(IOException.class, () -> supervisor.request(new byte[1], PATIENCE));
        }
    }

    @Test
    void unresponsiveDriverIsKilledAndForkedAgain() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3)
                .healthCheck(new byte[1], MOMENT, Duration.ofSeconds(2))
                .start()) {
            assertChanges(State.STARTING, State.RUNNING);
            driver.kill(Signal.STOP);
            Supervisor.StateChange ended = change();
            assertEquals(State.BACKING_OFF, ended.state());
            assertEquals(9, ended.status().orElseThrow().signal());
            assertChanges(State.STARTING, State.RUNNING);
            assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, PATIENCE));
        }
    }

    @Test
    void driverThatClosesItsPipeIsKilled() throws Exception {
        UsermodeDriver driver = UsermodeDriver.load("mute", DriverBlobs.script("exec >&-", "read forever"));
        try (Supervisor supervisor = supervisor(driver, 1).start()) {
            assertChanges(State.STARTING, State.RUNNING, State.BACKING_OFF);
            assertTrue(supervisor.state() != State.CLOSED);
        }
    }

    @Test
    void failedFirstForkThrows() throws Exception {
        UsermodeDriver driver = UsermodeDriver.load("text", "text".getBytes());
        Supervisor supervisor = supervisor(driver, 3);
        assertEquals(
                UmhStage.EXEC,
                assertThrows(UmhException.class, supervisor::start).stage());
        assertChanges(State.STARTING, State.CLOSED);
        assertEquals(false, driver.isLoaded());
    }

    @Test
    void failedLaterForkCountsAsARestart() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 2).start()) {
            assertChanges(State.STARTING, State.RUNNING);
            driver.task(Task.defaults().fs(Fs.defaults().cwd("/no/such/folder")));
            driver.kill();
            assertChanges(State.BACKING_OFF, State.STARTING);
            Supervisor.StateChange failed = change();
            assertEquals(State.BACKING_OFF, failed.state());
            assertEquals(UmhStage.CWD, failed.failure().orElseThrow().stage());
            assertChanges(State.STARTING, State.GIVEN_UP);
            assertEquals(State.GIVEN_UP, supervisor.state());
        }
    }

    @Test
    void exceptionOfInitCountsAsARestart() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3).start()) {
            assertChanges(State.STARTING, State.RUNNING);
            AtomicInteger calls = new AtomicInteger();
            driver.init((info, cred) -> {
                switch (calls.getAndIncrement()) {
                    case 0 -> throw new IllegalStateException("the function's fault, as the test wants it");
                    case 1 -> throw new StackOverflowError("another one");
                    default -> {}
                }
                return cred;
            });
            driver.kill();
            assertChanges(State.BACKING_OFF, State.STARTING);
            for (int i = 0; i < 2; i++) {
                Supervisor.StateChange failed = change();
                assertEquals(State.BACKING_OFF, failed.state());
                assertEquals(Optional.empty(), failed.failure());
                assertChanges(State.STARTING);
            }
            assertChanges(State.RUNNING);
            assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, PATIENCE));
        }
    }

    @Test
    void anyDurationIsAccepted() throws Exception {
        Duration forever = Duration.ofSeconds(Long.MAX_VALUE);
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3)
                .backoff(MOMENT, forever)
                .restartLimit(3, forever)
                .healthCheck(new byte[1], MOMENT, forever)
                .start()) {
            assertChanges(State.STARTING, State.RUNNING);
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, forever));
                driver.kill();
                assertChanges(State.BACKING_OFF, State.STARTING, State.RUNNING);
            }
        }
        assertEquals(
                forever,
                new RestartBackoff(forever, forever, 1, forever).after(0).orElseThrow());
    }

    @Test
    void supervisorStartsOnlyOnce() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        try (Supervisor supervisor = supervisor(driver, 3).start()) {
            assertThrows(IllegalStateException.class, supervisor::start);
            assertThrows(IllegalStateException.class, () -> supervisor.backoff(MOMENT, MOMENT));
            assertArrayEquals(new byte[] {1}, supervisor.request(new byte[] {1}, PATIENCE));
        }
    }

    @Test
    void closeFailsWaitingRequests() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("pause");
        Supervisor supervisor = supervisor(driver, 3).start();
        assertChanges(State.STARTING, State.RUNNING);
        BlockingQueue<Exception> failures = new LinkedBlockingQueue<>();
        Thread caller = new Thread(() -> {
            try {
                supervisor.request(new byte[1], PATIENCE);
            } catch (Exception e) {
                failures.add(e);
            }
        });
        caller.start();
        while (caller.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        supervisor.close();
        assertTrue(failures.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS) instanceof IOException);
        caller.join();
    }

    @Test
    void listenerThatThrowsIsCalledAgain() throws Exception {
        UsermodeDriver driver = DriverBlobs.doing("cat");
        Supervisor supervisor = supervisor(driver, 3).listener(change -> {
            changes.add(change);
            throw new IllegalStateException("the listener's fault, as the test wants it");
        });
        try (supervisor) {
            supervisor.start();
        }
        assertChanges(State.STARTING, State.RUNNING, State.CLOSED);
    }

    @Test
    void pausesDoubleAndAreResetAfterTheWindow() {
        RestartBackoff restarts =
                new RestartBackoff(Duration.ofMillis(1), Duration.ofMillis(5), 4, Duration.ofSeconds(1));
        List<Object> pauses = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            pauses.add(restarts.after(i).map(Duration::toMillis).orElse(-1L));
        }
        assertEquals(List.of(1L, 2L, 4L, 5L, -1L), pauses);
        assertEquals(Duration.ofMillis(1), restarts.after(2_000_000_000L).orElseThrow());
    }
}
