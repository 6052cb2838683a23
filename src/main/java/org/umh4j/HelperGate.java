// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.umh4j.linux.Errno;

/**
 * Disables and enables helpers for the whole JVM, as the kernel does around suspend.
 *
 * <p>Before a checkpoint, an upgrade or a failover, call {@link #disable}: new calls fail with {@code -EBUSY}, and
 * the method waits until the running calls have returned. {@link #enable} ends it. While helpers are disabled,
 * {@code exec} returns {@code -EBUSY}; {@code start}, {@code run}, pipelines and {@code fork} of a driver throw a
 * {@link UmhException} at {@link org.umh4j.linux.UmhStage#DISABLED} with {@code EBUSY}.
 *
 * <p>{@link #readTrylock} and {@link #readLockWait} take a read lock, which keeps helpers enabled: while any read lock
 * is held, every method that changes the depth ({@link #disable}, {@link #enable}, {@link #setDisableDepth},
 * {@link #freeze}, {@link #thaw}) waits for its release, without a timeout. A thread that calls one of them under a
 * read lock that only it releases waits forever. New read locks wait while such a method waits. {@link #freeze} and
 * {@link #thaw} are the operations of the freezer. A freeze does not wait for calls with {@link UmhWait#freezable};
 * while frozen, those do not return.
 *
 * <p>A <em>running call</em> has entered the gate and has not returned; the kernel's name for it is running helper. A
 * process that continues to run after its call has returned does not count. A {@code start} or {@code run} is a running
 * call until {@code execve}. A {@link UmhWait#NO_WAIT} call returns before its helper is started.
 *
 * <p>An interrupt does not end a wait; the interrupt flag stays set.
 *
 * @implSpec {@code __usermodehelper_disable()}, {@code __usermodehelper_set_disable_depth()},
 *     {@code usermodehelper_read_trylock()}, {@code usermodehelper_read_lock_wait()} of {@code kernel/umh.c},
 *     {@code freeze_processes()} and {@code thaw_processes()} of {@code kernel/power/process.c}, Linux 6.12
 */
public final class HelperGate {
    /** The degree to which helpers are disabled: {@code enum umh_disable_depth}. */
    public enum Depth {
        /** Calls are executed. */
        ENABLED,
        /** Calls fail with {@code -EBUSY}. {@link HelperGate#readTrylock} waits, since this depth is temporary. */
        FREEZING,
        /** Calls fail with {@code -EBUSY}, and {@link HelperGate#readTrylock} fails with {@code -EAGAIN}. */
        DISABLED
    }

    /** The time that {@link #disable} waits for running calls: {@code RUNNING_HELPERS_TIMEOUT}, 5 seconds. */
    public static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINVAL = Errno.EINVAL.number();

    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Condition CHANGED = LOCK.newCondition();

    private static Depth depth = Depth.ENABLED;
    private static boolean frozen;
    /** The number of read locks that are held. With the next field the counterpart of umhelper_sem. */
    private static int readers;
    /** The number of threads that wait to change the depth. */
    private static int waitingWriters;
    /** The number of calls from entry to return: running_helpers. It includes those of the next field. */
    private static int runningHelpers;
    /** The number of calls in a freezable wait. */
    private static int freezableWaits;

    private HelperGate() {}

    /**
     * Disables helpers: {@link #disable(Depth)} with {@link Depth#DISABLED}.
     *
     * @return as {@link #disable(Depth)}
     */
    public static int disable() {
        return disable(Depth.DISABLED);
    }

    /**
     * Sets the depth and waits up to {@link #DRAIN_TIMEOUT} until no call is running.
     *
     * @return 0 if no call was running at one moment of the wait; {@code -EAGAIN} if calls were still running, in
     *     which case helpers are enabled again; {@code -EINVAL} for {@link Depth#ENABLED}
     */
    public static int disable(Depth newDepth) {
        Objects.requireNonNull(newDepth, "newDepth");
        if (newDepth == Depth.ENABLED) {
            return -EINVAL;
        }
        LOCK.lock();
        try {
            changeDepth(newDepth);
            if (await(DRAIN_TIMEOUT.toNanos(), () -> runningHelpers == 0) > 0) {
                return 0;
            }
            changeDepth(Depth.ENABLED);
            return -EAGAIN;
        } finally {
            LOCK.unlock();
        }
    }

    /** Enables helpers: {@code usermodehelper_enable()}. */
    public static void enable() {
        setDisableDepth(Depth.ENABLED);
    }

    /** Sets the depth without waiting for running calls: {@code __usermodehelper_set_disable_depth()}. */
    public static void setDisableDepth(Depth newDepth) {
        Objects.requireNonNull(newDepth, "newDepth");
        LOCK.lock();
        try {
            changeDepth(newDepth);
        } finally {
            LOCK.unlock();
        }
    }

    /** Returns the present depth: FREEZING during a {@link #freeze}, DISABLED after it has returned 0. */
    public static Depth depth() {
        LOCK.lock();
        try {
            return depth;
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Returns the number of calls that have not returned, the kernel's {@code running_helpers}. It is not the number of
     * processes.
     */
    public static int runningHelpers() {
        LOCK.lock();
        try {
            return runningHelpers;
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Takes a read lock, which keeps helpers enabled until {@link #readUnlock}. Unlike other functions of that kind, it
     * waits while the depth is FREEZING, as the kernel's {@code usermodehelper_read_trylock()} does.
     *
     * @return 0 if the lock is held; {@code -EAGAIN} if the depth is DISABLED
     */
    public static int readTrylock() {
        LOCK.lock();
        try {
            for (; ; ) {
                if (waitingWriters == 0 && depth == Depth.ENABLED) {
                    readers++;
                    return 0;
                }
                if (waitingWriters == 0 && depth == Depth.DISABLED) {
                    return -EAGAIN;
                }
                CHANGED.awaitUninterruptibly();
            }
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Takes a read lock, which keeps helpers enabled until {@link #readUnlock}. Waits up to {@code timeout} while the
     * depth is FREEZING or DISABLED.
     *
     * @return the rest of the timeout, at least one nanosecond, if the lock is held; zero if it is not
     * @throws IllegalArgumentException for a negative timeout
     */
    public static Duration readLockWait(Duration timeout) {
        long nanos = Timeouts.saturatedNanos(Timeouts.requireNotNegative(timeout, "timeout"));
        LOCK.lock();
        try {
            long remaining = await(nanos, () -> waitingWriters == 0 && depth == Depth.ENABLED);
            if (remaining > 0) {
                readers++;
            }
            return Duration.ofNanos(remaining);
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Releases a read lock. It need not be called by the thread that took the lock.
     *
     * @throws IllegalMonitorStateException if no read lock is held
     */
    public static void readUnlock() {
        LOCK.lock();
        try {
            if (readers == 0) {
                throw new IllegalMonitorStateException("no read lock is held");
            }
            readers--;
            CHANGED.signalAll();
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Freezes: disables helpers and waits until every running call has returned or is in a freezable wait. Those in a
     * freezable wait do not return until {@link #thaw}.
     *
     * @param timeout the time to wait for running calls; the kernel's is {@link #DRAIN_TIMEOUT}
     * @return 0 if frozen; {@code -EAGAIN} if calls were still running, in which case helpers are enabled again
     * @throws IllegalArgumentException for a negative timeout
     */
    public static int freeze(Duration timeout) {
        long nanos = Timeouts.saturatedNanos(Timeouts.requireNotNegative(timeout, "timeout"));
        LOCK.lock();
        try {
            changeDepth(Depth.FREEZING);
            frozen = true;
            if (await(nanos, () -> runningHelpers == freezableWaits) > 0) {
                changeDepth(Depth.DISABLED);
                return 0;
            }
            endFreeze();
            return -EAGAIN;
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Ends a freeze: calls in a freezable wait may return, and helpers are enabled. Without a freeze it only enables
     * them.
     */
    public static void thaw() {
        LOCK.lock();
        try {
            changeDepth(Depth.FREEZING);
            endFreeze();
        } finally {
            LOCK.unlock();
        }
    }

    /** Counts a call as running; false if helpers are disabled. {@link #leave} must follow if it returns true. */
    static boolean enter() {
        LOCK.lock();
        try {
            if (depth != Depth.ENABLED) {
                return false;
            }
            runningHelpers++;
            return true;
        } finally {
            LOCK.unlock();
        }
    }

    static void leave() {
        LOCK.lock();
        try {
            runningHelpers--;
            CHANGED.signalAll();
        } finally {
            LOCK.unlock();
        }
    }

    /** Runs a wait that {@link #freeze} does not wait for. It returns after the thaw. */
    static <T> T freezableWait(Supplier<T> wait) {
        changeFreezableWaits(1);
        try {
            return wait.get();
        } finally {
            changeFreezableWaits(-1);
        }
    }

    private static void changeFreezableWaits(int change) {
        LOCK.lock();
        try {
            while (change < 0 && frozen) {
                CHANGED.awaitUninterruptibly();
            }
            freezableWaits += change;
            CHANGED.signalAll();
        } finally {
            LOCK.unlock();
        }
    }

    private static void endFreeze() {
        frozen = false;
        changeDepth(Depth.ENABLED);
    }

    /** down_write(&umhelper_sem): waits for all readers, and blocks new ones meanwhile. */
    private static void changeDepth(Depth newDepth) {
        waitingWriters++;
        while (readers > 0) {
            CHANGED.awaitUninterruptibly();
        }
        waitingWriters--;
        depth = newDepth;
        CHANGED.signalAll();
    }

    /**
     * Waits for a condition with the lock held. An interrupt does not end the wait.
     *
     * @return the time that is left, at least 1; 0 if the time ran out
     */
    private static long await(long nanos, BooleanSupplier condition) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + nanos;
        long remaining = nanos;
        while (!condition.getAsBoolean() && remaining > 0) {
            try {
                remaining = CHANGED.awaitNanos(remaining);
            } catch (InterruptedException e) {
                interrupted = true;
                remaining = deadline - System.nanoTime();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return condition.getAsBoolean() ? Math.max(remaining, 1) : 0;
    }
}
