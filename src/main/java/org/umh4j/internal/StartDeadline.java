// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The limit of a caller's wait for the helper's first instruction: a time from the call, an interrupt, or none.
 */
public final class StartDeadline {
    private static final long ENDLESS = Long.MAX_VALUE;
    private static final long PAUSE_NANOS = 2_000_000;

    private final long begin = System.nanoTime();
    private final long limit;
    private final boolean interruptible;
    private int end;

    private StartDeadline(long limit, boolean interruptible) {
        this.limit = limit;
        this.interruptible = interruptible;
    }

    /** No limit. */
    public static StartDeadline endless() {
        return new StartDeadline(ENDLESS, false);
    }

    /** Until an interrupt. */
    public static StartDeadline untilInterrupted() {
        return new StartDeadline(ENDLESS, true);
    }

    /** This time from now, or until an interrupt; {@link Long#MAX_VALUE} is no limit in time. */
    public static StartDeadline of(long nanos) {
        return new StartDeadline(nanos, true);
    }

    /** Whether it can end at all. */
    boolean isEndless() {
        return limit == ENDLESS && !interruptible;
    }

    /** Whether an interrupt has ended it; the flag is set again. */
    public boolean isInterrupted() {
        return end == -Native.eintr();
    }

    /** The time since the call. */
    public long pastNanos() {
        return System.nanoTime() - begin;
    }

    /** The time that is left. */
    public long leftNanos() {
        return limit == ENDLESS ? ENDLESS : Math.max(limit - pastNanos(), 0);
    }

    /** The time that is left for a wait in the kernel, which an interrupt does not end; 0: no limit. */
    public int leftMillis() {
        return limit == ENDLESS ? 0 : (int) Math.min(leftNanos() / 1_000_000 + 1, Integer.MAX_VALUE);
    }

    /** Waits for the future: 0 when it is complete, {@code -ETIMEDOUT} or {@code -EINTR} when the wait ended before. */
    public int await(CompletableFuture<?> future) {
        if (!interruptible) {
            future.join();
            return 0;
        }
        try {
            if (limit == ENDLESS) {
                future.get();
            } else {
                future.get(leftNanos(), TimeUnit.NANOSECONDS);
            }
            return 0;
        } catch (TimeoutException e) {
            return ended(-Native.etimedout());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ended(-Native.eintr());
        } catch (ExecutionException e) {
            throw new AssertionError("what is waited for does not fail", e);
        }
    }

    /** Whether the future is complete within the time; an interrupt does not end the wait, and stays pending. */
    public static boolean comes(CompletableFuture<?> future, long nanos) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + nanos;
        while (!future.isDone() && deadline - System.nanoTime() > 0) {
            try {
                future.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (TimeoutException e) {
                break;
            } catch (ExecutionException e) {
                throw new AssertionError("what is waited for does not fail", e);
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return future.isDone();
    }

    int ended(int why) {
        end = why;
        return why;
    }

    /** False when an interrupt ends it. */
    boolean pause() {
        boolean interrupted = false;
        try {
            TimeUnit.NANOSECONDS.sleep(PAUSE_NANOS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !(interrupted && interruptible);
    }
}
