// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The time limit of {@code --timeout}, counted from its creation; or none. */
final class TimeLimit {
    private final @Nullable Duration limit;
    private final long begin = System.nanoTime();

    TimeLimit(@Nullable Duration limit) {
        this.limit = limit;
    }

    boolean isSet() {
        return limit != null;
    }

    /** Returns the time left, at least zero; null without a limit. */
    @Nullable
    Duration remaining() {
        if (limit == null) {
            return null;
        }
        Duration left = limit.minusNanos(System.nanoTime() - begin);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /**
     * Calls the task. With a limit a daemon thread calls it, which is abandoned when the limit is over.
     *
     * @throws TimeoutException if the limit is over
     */
    <T> T call(Callable<T> task) throws Exception {
        if (limit == null) {
            return task.call();
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> complete(result, task), "umh-set-up");
        thread.setDaemon(true);
        thread.start();
        return await(result);
    }

    private static <T> void complete(CompletableFuture<T> result, Callable<T> task) {
        try {
            result.complete(task.call());
        } catch (Throwable e) {
            result.completeExceptionally(e);
        }
    }

    /**
     * Waits for the future and returns its value, or throws its exception.
     *
     * @throws TimeoutException if the limit is over
     */
    <T> T await(CompletableFuture<T> future) throws Exception {
        Duration left = remaining();
        try {
            return left == null ? future.get() : future.get(left.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw (Error) e.getCause();
        }
    }

    /** Returns the limit in words. */
    @Override
    public String toString() {
        return limit == null ? "no limit" : limit.toMillis() + " ms";
    }
}
