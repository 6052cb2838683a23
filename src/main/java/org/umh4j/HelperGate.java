// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.umh4j.linux.Errno;

/**
 * Turns helpers off and on for the whole JVM, as the kernel does around suspend.
 *
 * <p>A checkpoint, an upgrade, a failover: {@link #disable} refuses new helpers ({@code -EBUSY}) and waits until the
 * calls under way have returned. {@link #readTrylock} and {@link #readLockWait} are for code that needs helpers to stay
 * enabled for a while: as long as such a lock is held, nobody changes the depth. {@link #freeze} and {@link #thaw} are
 * the freezer's two halves; callers that wait with {@link UmhWait#freezable} do not hold it up.
 *
 * <p>A running helper is a <em>call</em> that has not returned; a process that runs on after its call is none.
 *
 * <p>All methods may be called from any thread. None can be interrupted: an interrupt stays pending.
 *
 * @implSpec {@code __usermodehelper_disable()}, {@code __usermodehelper_set_disable_depth()},
 *     {@code usermodehelper_read_trylock()}, {@code usermodehelper_read_lock_wait()} of {@code kernel/umh.c},
 *     {@code freeze_processes()} and {@code thaw_processes()} of {@code kernel/power/process.c}, Linux 6.12
 */
public final class HelperGate {
    /** How far helpers are disabled: {@code enum umh_disable_depth}. */
    public enum Depth {
        /** Helpers run. */
        ENABLED,
        /** Helpers are refused; {@link HelperGate#readTrylock} waits, because this does not last. */
        FREEZING,
        /** Helpers are refused; {@link HelperGate#readTrylock} fails. */
        DISABLED
    }

    /** {@code RUNNING_HELPERS_TIMEOUT}: how long {@link #disable} waits for running calls. */
    public static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINVAL = Errno.EINVAL.number();

    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Condition CHANGED = LOCK.newCondition();

    private static Depth depth = Depth.ENABLED;
    private static boolean frozen;
    /** Holders of the read lock, and those who wait to change the depth: umhelper_sem. */
    private static int readers;

    private static int writers;
    /** Calls from entry to return: running_helpers. Those in a freezable wait are counted in both. */
    private static int running;

    private static int freezable;

    private HelperGate() {}

    /** Disables helpers; as {@link #disable(Depth)} with {@link Depth#DISABLED}. */
    public static int disable() {
        return disable(Depth.DISABLED);
    }

    /**
     * Disables helpers and waits up to {@link #DRAIN_TIMEOUT} until no call is under way.
     *
     * @return 0; {@code -EAGAIN} if calls were still under way, and then helpers are enabled again; {@code -EINVAL} for
     *     {@link Depth#ENABLED}
     */
    public static int disable(Depth newDepth) {
        Objects.requireNonNull(newDepth, "newDepth");
        if (newDepth == Depth.ENABLED) {
            return -EINVAL;
        }
        LOCK.lock();
        try {
            changeDepth(newDepth);
            if (await(DRAIN_TIMEOUT.toNanos(), () -> running == 0) > 0) {
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

    /** Sets the depth without waiting for calls under way: {@code __usermodehelper_set_disable_depth()}. */
    public static void setDisableDepth(Depth newDepth) {
        Objects.requireNonNull(newDepth, "newDepth");
        LOCK.lock();
        try {
            changeDepth(newDepth);
        } finally {
            LOCK.unlock();
        }
    }

    /** How far helpers are disabled now. */
    public static Depth depth() {
        LOCK.lock();
        try {
            return depth;
        } finally {
            LOCK.unlock();
        }
    }

    /** How many calls are under way. */
    public static int running() {
        LOCK.lock();
        try {
            return running;
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Keeps helpers enabled until {@link #readUnlock}; waits while they are FREEZING.
     *
     * @return 0 with the lock held, or {@code -EAGAIN} without it when they are DISABLED
     */
    public static int readTrylock() {
        LOCK.lock();
        try {
            for (; ; ) {
                if (writers == 0 && depth == Depth.ENABLED) {
                    readers++;
                    return 0;
                }
                if (writers == 0 && depth == Depth.DISABLED) {
                    return -EAGAIN;
                }
                CHANGED.awaitUninterruptibly();
            }
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Keeps helpers enabled until {@link #readUnlock}; waits for that while they are disabled in any way.
     *
     * @return what is left of the timeout; zero means that the time ran out and the lock is not held
     * @throws IllegalArgumentException for a negative timeout
     */
    public static Duration readLockWait(Duration timeout) {
        long nanos = Timeouts.notNegative(timeout, "timeout");
        LOCK.lock();
        try {
            // Enabled already: the lock is held, and the whole timeout is left; one of zero is answered as a
            // nanosecond.
            long left = await(nanos, () -> writers == 0 && depth == Depth.ENABLED);
            if (left > 0) {
                readers++;
            }
            return Duration.ofNanos(Math.max(left, 0));
        } finally {
            LOCK.unlock();
        }
    }

    /**
     * Gives the lock back; from whichever thread.
     *
     * @throws IllegalMonitorStateException if nobody holds it
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
     * Freezes: no new helper, every call that is under way has returned or is in a freezable wait, and those stay there
     * until {@link #thaw}.
     *
     * @param timeout how long to wait for calls under way; the kernel's own is {@link #DRAIN_TIMEOUT}
     * @return 0, frozen; or {@code -EAGAIN}, and then helpers are enabled again
     * @throws IllegalArgumentException for a negative timeout, before anything is changed
     */
    public static int freeze(Duration timeout) {
        long nanos = Timeouts.notNegative(timeout, "timeout");
        LOCK.lock();
        try {
            changeDepth(Depth.FREEZING);
            frozen = true;
            if (await(nanos, () -> running == freezable) > 0) {
                changeDepth(Depth.DISABLED);
                return 0;
            }
            melt();
            return -EAGAIN;
        } finally {
            LOCK.unlock();
        }
    }

    /** Ends a freeze: frozen callers go on, helpers are enabled. Without a freeze it only enables. */
    public static void thaw() {
        LOCK.lock();
        try {
            changeDepth(Depth.FREEZING);
            melt();
        } finally {
            LOCK.unlock();
        }
    }

    /** A call enters; false when helpers are disabled, and then it must not leave. */
    static boolean enter() {
        LOCK.lock();
        try {
            if (depth != Depth.ENABLED) {
                return false;
            }
            running++;
            return true;
        } finally {
            LOCK.unlock();
        }
    }

    static void leave() {
        LOCK.lock();
        try {
            running--;
            CHANGED.signalAll();
        } finally {
            LOCK.unlock();
        }
    }

    /** A wait that the freezer counts as frozen, and that does not end before the thaw. */
    static <T> T freezable(Supplier<T> wait) {
        changeFreezable(1);
        try {
            return wait.get();
        } finally {
            changeFreezable(-1);
        }
    }

    private static void changeFreezable(int change) {
        LOCK.lock();
        try {
            while (change < 0 && frozen) {
                CHANGED.awaitUninterruptibly();
            }
            freezable += change;
            CHANGED.signalAll();
        } finally {
            LOCK.unlock();
        }
    }

    private static void melt() {
        frozen = false;
        changeDepth(Depth.ENABLED);
    }

    /** down_write(&umhelper_sem): after all readers, and before new ones. */
    private static void changeDepth(Depth newDepth) {
        writers++;
        while (readers > 0) {
            CHANGED.awaitUninterruptibly();
        }
        writers--;
        depth = newDepth;
        CHANGED.signalAll();
    }

    private interface Check {
        boolean holds();
    }

    /** Waits, uninterruptibly, with the lock held; what is left of the time, 0 or less when it ran out. */
    private static long await(long nanos, Check check) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + nanos;
        long left = nanos;
        while (!check.holds() && left > 0) {
            try {
                left = CHANGED.awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true;
                left = deadline - System.nanoTime();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return check.holds() ? Math.max(left, 1) : 0;
    }
}
