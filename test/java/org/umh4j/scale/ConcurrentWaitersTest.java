// SPDX-License-Identifier: Apache-2.0
package org.umh4j.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.PipeReader;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/** Many threads wait for, query, signal and close one helper at the same time. */
@ExtendWith(Leaks.class)
final class ConcurrentWaitersTest {
    private static final long SECONDS = Await.PATIENCE.toSeconds();

    /** Every way to learn how a helper ended. */
    private static List<Callable<WaitStatus>> ways(Helper helper) {
        return List.of(
                helper::waitFor,
                () -> helper.waitFor(Await.PATIENCE).orElseThrow(),
                () -> helper.waitFor(Duration.ofSeconds(Long.MAX_VALUE)).orElseThrow(),
                () -> helper.onExit().get(SECONDS, TimeUnit.SECONDS),
                () -> {
                    while (helper.isAlive()) {
                        Thread.onSpinWait();
                    }
                    return helper.status().orElseThrow();
                },
                () -> {
                    int value = helper.toProcess().waitFor();
                    return new WaitStatus(value > 128 ? value - 128 : value << 8);
                });
    }

    @Test
    void allWaitersGetTheSameStatus() throws Exception {
        Random random = new Random(3);
        ExecutorService threads = Executors.newCachedThreadPool();
        Signal[] signals = {Signal.KILL, Signal.TERM, Signal.HUP, Signal.USR1, Signal.INT};
        for (int i = 0; i < 100; i++) {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                List<Future<WaitStatus>> answers = new ArrayList<>();
                for (Callable<WaitStatus> way : ways(helper)) {
                    answers.add(threads.submit(way));
                }
                spin(random.nextInt(300_000));
                Signal signal = signals[i % signals.length];
                assertTrue(helper.kill(signal));
                for (Callable<WaitStatus> way : ways(helper)) {
                    answers.add(threads.submit(way)); // some of them come too late to wait
                }
                for (Future<WaitStatus> answer : answers) {
                    assertEquals(
                            signal.number(),
                            answer.get(SECONDS, TimeUnit.SECONDS).raw());
                }
            }
        }
        threads.shutdown();
        assertTrue(threads.awaitTermination(SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void concurrentClosesReturn() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        Random random = new Random(4);
        for (int i = 0; i < 100; i++) {
            Helper helper = UsermodeHelper.start(ProbeProgram.doing("sleep", "1", "exit", "6")
                    .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))));
            spin(random.nextInt(2_000_000));
            List<Future<?>> closes = new ArrayList<>();
            for (int closer = 0; closer < 3; closer++) {
                closes.add(threads.submit(helper::close));
            }
            for (Future<?> close : closes) {
                close.get(SECONDS, TimeUnit.SECONDS);
            }
            WaitStatus status = helper.status().orElseThrow();
            assertTrue(status.raw() == 9 || status.raw() == 6 << 8, status::toString);
        }
        threads.shutdown();
        assertTrue(threads.awaitTermination(SECONDS, TimeUnit.SECONDS));
    }

    /**
     * A wait that times out at the moment of the exit returns the status or nothing; the next one returns the status.
     */
    @Test
    void timedWaitThatRacesTheExitReturnsTheStatusOrNothing() throws Exception {
        for (int i = 0; i < 200; i++) {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("sleep", "2", "exit", "7"))) {
                Optional<WaitStatus> first = helper.waitFor(Duration.ofNanos(1_500_000 + i * 10_000L));
                first.ifPresent(status -> assertEquals(7, status.exitCode()));
                assertEquals(7, helper.waitFor(Await.PATIENCE).orElseThrow().exitCode());
                assertEquals(7, helper.waitFor(Duration.ZERO).orElseThrow().exitCode());
                assertEquals(
                        7, helper.waitFor(Duration.ofSeconds(-1)).orElseThrow().exitCode());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptEndsAWaitAndNotTheHelper(boolean timed) throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            Callable<?> wait = timed ? () -> helper.waitFor(Await.PATIENCE) : helper::waitFor;
            for (boolean before : new boolean[] {true, false}) {
                AtomicReference<Object> seen = new AtomicReference<>();
                AtomicBoolean flag = new AtomicBoolean();
                Thread waiter = new Thread(() -> {
                    if (before) {
                        Thread.currentThread().interrupt();
                    }
                    try {
                        seen.set(wait.call());
                    } catch (Exception e) {
                        seen.set(e);
                        flag.set(Thread.currentThread().isInterrupted());
                    }
                });
                waiter.start();
                if (!before) {
                    Await.blocked(waiter);
                    waiter.interrupt();
                }
                Await.end(waiter);
                assertEquals(InterruptedException.class, seen.get().getClass());
                assertFalse(flag.get(), "the exception says it");
            }
            assertTrue(helper.isAlive());
            helper.kill(Signal.TERM);
            assertEquals(15, helper.waitFor().signal());
        }
    }

    @Test
    void interruptBeforeStartDoesNotPreventTheStart() throws Exception {
        Thread.currentThread().interrupt();
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "2"))) {
            assertTrue(Thread.interrupted(), "the flag stays set");
            assertEquals(2, helper.waitFor().exitCode());
        }
    }

    @Test
    void signalsThatRaceTheStartReachTheHelperOrNothing() throws Exception {
        for (int i = 0; i < 150; i++) {
            SubprocessInfo info = ProbeProgram.doing("exit", "9");
            AtomicReference<Helper> started = new AtomicReference<>();
            AtomicReference<Object> killed = new AtomicReference<>();
            Thread killer = new Thread(() -> {
                while (started.get() == null) {
                    Thread.onSpinWait();
                }
                try {
                    killed.set(started.get().kill(Signal.KILL));
                } catch (UmhException e) {
                    killed.set(e);
                }
            });
            killer.start();
            try (Helper helper = UsermodeHelper.start(info)) {
                started.set(helper);
                Await.end(killer);
                WaitStatus status = helper.waitFor();
                assertTrue(
                        status.raw() == 9 << 8
                                || status.raw() == 9 && killed.get().equals(true),
                        () -> status + ", sent " + killed);
            }
        }
    }

    @Test
    void signalAfterTheEndReachesNoProcess() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "0"));
        helper.waitFor();
        for (int signal = 0; signal <= Signal.MAX; signal++) {
            assertFalse(helper.kill(signal));
        }
        for (KillScope scope : new KillScope[] {KillScope.PROCESS, KillScope.GROUP, KillScope.SESSION}) {
            assertFalse(helper.kill(scope, Signal.KILL));
        }
        helper.close();
        assertFalse(helper.kill(Signal.KILL));
        assertThrows(IllegalArgumentException.class, () -> helper.kill(-1));
        assertThrows(IllegalArgumentException.class, () -> helper.kill(Signal.MAX + 1));
    }

    @Test
    void exitFuturesAreCompletedByTheEnd() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            List<CompletableFuture<WaitStatus>> futures = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                futures.add(helper.onExit());
            }
            futures.get(0).cancel(true);
            futures.get(1).completeExceptionally(new IllegalStateException("mine"));
            helper.kill(Signal.USR2);
            for (CompletableFuture<WaitStatus> future : futures.subList(2, futures.size())) {
                assertEquals(
                        Signal.USR2.number(),
                        future.get(SECONDS, TimeUnit.SECONDS).signal());
            }
            assertEquals(
                    Signal.USR2.number(),
                    helper.onExit().get(SECONDS, TimeUnit.SECONDS).signal());
        }
    }

    @Test
    void detachedHelperOutlivesItsHandle() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))));
        PipeReader reader = helper.detach().reader(1);
        helper.close();
        assertTrue(helper.isAlive());
        assertFalse(reader.isOpen());
        helper.kill(Signal.KILL);
        assertEquals(9, helper.waitFor(Await.PATIENCE).orElseThrow().signal());
    }

    @Test
    void stoppedHelperIsAliveAndCanBeClosed() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"));
        helper.kill(Signal.STOP);
        assertEquals(Optional.empty(), helper.waitFor(Duration.ofMillis(50)));
        assertTrue(helper.isAlive());
        helper.close();
        assertEquals(9, helper.status().orElseThrow().signal());
    }

    /** Tied to the JVM its outcome is awaited by the reaper, which lets launchers go on that others have stopped. */
    @Test
    void helperThatStopsItselfStaysStopped() throws Exception {
        SignalState tied = SignalState.defaults().parentDeathSignal(Signal.KILL);
        List<Helper> helpers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            helpers.add(UsermodeHelper.start(ProbeProgram.doing("kill", "19", "exit", "0")
                    .task(Task.defaults().signals(tied))));
        }
        for (Helper helper : helpers) {
            Await.until("it is stopped", () -> DriverBlobs.state(helper.pid()).equals("T"));
            helper.close();
            assertEquals(9, helper.status().orElseThrow().signal());
        }
    }

    private static void spin(long nanos) {
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }
}
