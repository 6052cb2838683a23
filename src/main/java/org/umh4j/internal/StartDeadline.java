// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The limit of a caller's wait until the helper's execve has succeeded: a time from the call, an interrupt, or no
 * limit.
 */
public final class StartDeadline {
    private static final long ENDLESS = Long.MAX_VALUE;
    private static final long PAUSE_NANOS = 2_000_000;

    private final long begin = System.nanoTime();
    private final long limit;
    private final boolean interruptible;
    private int endResult;

    private StartDeadline(long limit, boolean interruptible) {
        this.limit = limit;
        this.interruptible = interruptible;
    }

    /** Returns no limit. */
    public static StartDeadline endless() {
        return new StartDeadline(ENDLESS, false);
    }

    /** Returns a limit that only an interrupt ends. */
    public static StartDeadline untilInterrupted() {
        return new StartDeadline(ENDLESS, true);
    }

    /**
     * Returns a limit of this time from now, which an interrupt ends too. {@link Long#MAX_VALUE} is no limit in time.
     */
    public static StartDeadline of(long nanos) {
        return new StartDeadline(nanos, true);
    }

    /** Returns whether there is no limit. */
    boolean isEndless() {
        return limit == ENDLESS && !interruptible;
    }

    /** Returns whether an interrupt has ended the wait. The interrupt flag is set again. */
    public boolean isInterrupted() {
        return endResult == -Native.eintr();
    }

    /** Returns the time since the call. */
    public long elapsedNanos() {
        return System.nanoTime() - begin;
    }

    /** Returns the remaining time. */
    public long remainingNanos() {
        return limit == ENDLESS ? ENDLESS : Math.max(limit - elapsedNanos(), 0);
    }

    /** Returns the remaining time for a wait in the kernel, which an interrupt does not end; 0 is no limit. */
    public int remainingMillis() {
        return limit == ENDLESS ? 0 : (int) Math.min(remainingNanos() / 1_000_000 + 1, Integer.MAX_VALUE);
    }

    /** Waits for the future. Returns 0 if it is complete, or {@code -ETIMEDOUT} or {@code -EINTR} at the limit. */
    public int await(CompletableFuture<?> future) {
        if (!interruptible) {
            future.join();
            return 0;
        }
        try {
            if (limit == ENDLESS) {
                future.get();
            } else {
                future.get(remainingNanos(), TimeUnit.NANOSECONDS);
            }
            return 0;
        } catch (TimeoutException e) {
            return endedBy(-Native.etimedout());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return endedBy(-Native.eintr());
        } catch (ExecutionException e) {
            throw new AssertionError("the future is never completed with an exception", e);
        }
    }

    /**
     * Waits for the future, and returns whether it is complete. An interrupt does not end the wait and stays pending.
     */
    public static boolean completesWithin(CompletableFuture<?> future, long nanos) {
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
                throw new AssertionError("the future is never completed with an exception", e);
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return future.isDone();
    }

    int endedBy(int result) {
        endResult = result;
        return result;
    }

    /** Waits a moment. Returns false if an interrupt ends the wait. */
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
