// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.HelperGate.Depth;
import org.umh4j.linux.Errno;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/** Disabling, locking, freezing. */
@ExtendWith(Leaks.class)
final class HelperGateTest {
    private static final int EAGAIN = -Errno.EAGAIN.number();
    private static final int EBUSY = -Errno.EBUSY.number();

    @AfterEach
    void enabledAndIdle() throws InterruptedException {
        HelperGate.thaw();
        for (int i = 0; i < 1_000 && HelperGate.runningHelpers() != 0; i++) {
            Thread.sleep(10);
        }
        assertEquals(0, HelperGate.runningHelpers());
    }

    private static <T> CompletableFuture<T> inThread(Supplier<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        new Thread(() -> result.complete(action.get())).start();
        return result;
    }

    private static void assertBlocked(CompletableFuture<?> future) {
        assertThrows(TimeoutException.class, () -> future.get(150, TimeUnit.MILLISECONDS));
    }

    private static <T> T soon(CompletableFuture<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    private static int tryOne() {
        return UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
    }

    /** A call that is under way, and its helper. */
    private static SubprocessInfo callUnderWay(UmhWait wait, CompletableFuture<Integer> result, String millis)
            throws InterruptedException {
        SubprocessInfo info = ProbeProgram.doing("sleep", millis);
        new Thread(() -> result.complete(UsermodeHelper.exec(info, wait))).start();
        while (HelperGate.runningHelpers() == 0) {
            Thread.sleep(1);
        }
        return info;
    }

    @Test
    void disabledFailsWithEbusy() {
        assertEquals(0, HelperGate.disable());
        assertEquals(Depth.DISABLED, HelperGate.depth());
        assertEquals(EBUSY, tryOne());
        assertThrows(UmhException.class, () -> UsermodeHelper.start(ProbeProgram.doing("exit", "0")));
        HelperGate.enable();
        assertEquals(0, tryOne());
    }

    @Test
    void disablingToEnabledFailsWithEinval() {
        assertEquals(-Errno.EINVAL.number(), HelperGate.disable(Depth.ENABLED));
        assertEquals(0, tryOne());
    }

    @Test
    void disableWaitsForRunningCalls() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        callUnderWay(UmhWait.PROC, call, "400");
        assertEquals(0, HelperGate.disable(Depth.FREEZING));
        assertTrue(call.isDone() || HelperGate.runningHelpers() == 0);
        assertEquals(0, soon(call));
    }

    @Test
    void disableGivesUpAfterFiveSecondsAndEnablesAgain() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        SubprocessInfo info = callUnderWay(UmhWait.PROC, call, "60000");
        CompletableFuture<Integer> disable = inThread(HelperGate::disable);
        while (HelperGate.depth() == Depth.ENABLED) {
            Thread.sleep(1);
        }
        assertEquals(EBUSY, tryOne(), "refused while it waits");
        assertEquals(EAGAIN, soon(disable));
        assertEquals(Depth.ENABLED, HelperGate.depth());
        assertEquals(0, tryOne());
        killTheOnlyChild();
        assertEquals(9, soon(call));
        assertTrue(info.retval() == 9);
    }

    /** The pid of a call that has not returned is not known to anybody else; here it is the only child. */
    private static void killTheOnlyChild() throws Exception {
        for (String pid : Leaks.children()) {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void noWaitCallCountsOnlyUntilItsStart() {
        SubprocessInfo info = ProbeProgram.doing("sleep", "300");
        assertEquals(0, UsermodeHelper.exec(info, UmhWait.NO_WAIT));
        assertEquals(0, HelperGate.runningHelpers());
        assertEquals(0, HelperGate.disable());
    }

    @Test
    void readTrylockSucceedsFailsAndWaits() throws Exception {
        assertEquals(0, HelperGate.readTrylock());
        HelperGate.readUnlock();
        HelperGate.setDisableDepth(Depth.DISABLED);
        assertEquals(EAGAIN, HelperGate.readTrylock());
        HelperGate.setDisableDepth(Depth.FREEZING);
        CompletableFuture<Integer> waiting = inThread(HelperGate::readTrylock);
        assertBlocked(waiting);
        HelperGate.enable();
        assertEquals(0, soon(waiting));
        HelperGate.readUnlock();
    }

    @Test
    void readTrylockThatWaitsFailsWhenFreezingBecomesDisabled() throws Exception {
        HelperGate.setDisableDepth(Depth.FREEZING);
        CompletableFuture<Integer> waiting = inThread(HelperGate::readTrylock);
        assertBlocked(waiting);
        HelperGate.setDisableDepth(Depth.DISABLED);
        assertEquals(EAGAIN, soon(waiting));
    }

    @Test
    void depthDoesNotChangeWhileTheReadLockIsHeld() throws Exception {
        assertEquals(0, HelperGate.readTrylock());
        CompletableFuture<Integer> disable = inThread(HelperGate::disable);
        assertBlocked(disable);
        assertEquals(0, tryOne());
        HelperGate.readUnlock();
        assertEquals(0, soon(disable));
    }

    @Test
    void readLockWaitReturnsTheTimeLeft() throws Exception {
        Duration left = HelperGate.readLockWait(Duration.ofSeconds(5));
        assertEquals(Duration.ofSeconds(5), left, "not waited: all of it is left");
        HelperGate.readUnlock();
        HelperGate.setDisableDepth(Depth.DISABLED);
        assertEquals(Duration.ZERO, HelperGate.readLockWait(Duration.ofMillis(50)));
        CompletableFuture<Duration> waiting = inThread(() -> HelperGate.readLockWait(Duration.ofSeconds(60)));
        assertBlocked(waiting);
        HelperGate.enable();
        Duration rest = soon(waiting);
        assertFalse(rest.isZero());
        assertTrue(rest.compareTo(Duration.ofSeconds(60)) < 0);
        HelperGate.readUnlock();
    }

    @Test
    void timedOutReadLockIsNotHeld() {
        HelperGate.setDisableDepth(Depth.DISABLED);
        assertEquals(Duration.ZERO, HelperGate.readLockWait(Duration.ofMillis(1)));
        assertThrows(IllegalMonitorStateException.class, HelperGate::readUnlock);
    }

    /** In any depth: arguments are checked before the depth, the count and the freeze. */
    @ParameterizedTest
    @EnumSource
    void invalidArgumentIsNamedAndChangesNothing(Depth before) {
        HelperGate.setDisableDepth(before);
        assertNamed(NullPointerException.class, "newDepth", () -> HelperGate.disable(null));
        assertNamed(NullPointerException.class, "newDepth", () -> HelperGate.setDisableDepth(null));
        assertNamed(NullPointerException.class, "timeout", () -> HelperGate.readLockWait(null));
        assertNamed(NullPointerException.class, "timeout", () -> HelperGate.freeze(null));
        for (Duration negative :
                new Duration[] {Duration.ofNanos(-1), Duration.ofDays(-1), Duration.ofSeconds(Long.MIN_VALUE)}) {
            String message = "timeout is negative: " + negative;
            assertNamed(IllegalArgumentException.class, message, () -> HelperGate.readLockWait(negative));
            assertNamed(IllegalArgumentException.class, message, () -> HelperGate.freeze(negative));
        }
        assertEquals(before, HelperGate.depth());
        assertThrows(IllegalMonitorStateException.class, HelperGate::readUnlock);
        HelperGate.enable();
        assertEquals(0, tryOne(), "nothing is frozen");
        assertEquals(0, UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC.freezable()));
    }

    private static void assertNamed(Class<? extends Exception> type, String message, Executable call) {
        assertEquals(message, assertThrows(type, call).getMessage());
    }

    @Test
    void longestTimeoutsDoNotOverflow() {
        for (Duration longest : new Duration[] {
            Duration.ofNanos(Long.MAX_VALUE), Duration.ofSeconds(Long.MAX_VALUE), ChronoUnit.FOREVER.getDuration()
        }) {
            assertFalse(HelperGate.readLockWait(longest).isZero());
            HelperGate.readUnlock();
            assertEquals(0, HelperGate.freeze(longest));
            HelperGate.thaw();
        }
    }

    @Test
    void interruptDoesNotEndALockWait() throws Exception {
        HelperGate.setDisableDepth(Depth.DISABLED);
        CountDownLatch started = new CountDownLatch(1);
        CompletableFuture<Boolean> flagKept = new CompletableFuture<>();
        Thread waiter = new Thread(() -> {
            started.countDown();
            boolean locked = !HelperGate.readLockWait(Duration.ofSeconds(30)).isZero();
            flagKept.complete(locked && Thread.interrupted());
        });
        waiter.start();
        started.await();
        waiter.interrupt();
        assertBlocked(flagKept);
        HelperGate.enable();
        assertTrue(soon(flagKept));
        HelperGate.readUnlock();
    }

    @Test
    void freezableCallersStayUntilTheThaw() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        callUnderWay(UmhWait.PROC.freezable(), call, "200");
        assertEquals(0, HelperGate.freeze(Duration.ofSeconds(2)));
        assertEquals(Depth.DISABLED, HelperGate.depth());
        assertEquals(EBUSY, tryOne());
        Thread.sleep(400); // longer than the helper lives
        assertFalse(call.isDone(), "frozen with its result");
        HelperGate.thaw();
        assertEquals(0, soon(call));
        assertEquals(0, tryOne());
    }

    @Test
    void freezeTimesOutOnCallersThatAreNotFreezable() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        callUnderWay(UmhWait.PROC, call, "60000");
        CompletableFuture<Integer> other = new CompletableFuture<>();
        SubprocessInfo freezable = ProbeProgram.doing("exit", "4");
        assertEquals(EAGAIN, HelperGate.freeze(Duration.ofMillis(100)));
        assertEquals(Depth.ENABLED, HelperGate.depth());
        other.complete(UsermodeHelper.exec(freezable, UmhWait.PROC.freezable()));
        assertEquals(4 << 8, soon(other), "nothing is frozen");
        killTheOnlyChild();
        assertEquals(9, soon(call));
    }

    @Test
    void disableWaitsForFreezableCallers() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        callUnderWay(UmhWait.PROC.freezable(), call, "300");
        assertEquals(0, HelperGate.disable());
        assertEquals(0, HelperGate.runningHelpers());
        assertEquals(0, soon(call));
    }

    @Test
    void thawReleasesAFrozenKillableCaller() throws Exception {
        CompletableFuture<Integer> call = new CompletableFuture<>();
        SubprocessInfo info = ProbeProgram.doing("sleep", "500");
        Thread caller = new Thread(() ->
                call.complete(UsermodeHelper.exec(info, UmhWait.PROC.killable().freezable())));
        caller.start();
        while (info.pid() == 0) {
            Thread.sleep(1);
        }
        assertEquals(0, HelperGate.freeze(Duration.ofSeconds(2)));
        caller.interrupt();
        assertBlocked(call);
        HelperGate.thaw();
        assertEquals(-Errno.EINTR.number(), soon(call));
    }

    @Test
    void concurrentChangesEndEnabled() throws ExecutionException, InterruptedException, TimeoutException {
        CompletableFuture<?>[] all = new CompletableFuture<?>[8];
        for (int i = 0; i < all.length; i++) {
            int kind = i % 4;
            all[i] = CompletableFuture.runAsync(
                    () -> {
                        for (int round = 0; round < 50; round++) {
                            switch (kind) {
                                case 0 -> tryOne();
                                case 1 -> {
                                    HelperGate.disable();
                                    HelperGate.enable();
                                }
                                case 2 -> {
                                    if (!HelperGate.readLockWait(Duration.ofMillis(5))
                                            .isZero()) {
                                        HelperGate.readUnlock();
                                    }
                                }
                                default -> {
                                    HelperGate.freeze(Duration.ofMillis(5));
                                    HelperGate.thaw();
                                }
                            }
                        }
                    },
                    command -> new Thread(command).start());
        }
        CompletableFuture.allOf(all).get(60, TimeUnit.SECONDS);
        HelperGate.enable();
        assertEquals(0, tryOne());
    }
}
