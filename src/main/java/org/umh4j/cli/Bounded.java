// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs work that may exceed the user's --timeout. */
final class Bounded {
    private Bounded() {}

    /**
     * Runs the task in this thread if there is no limit; else in a daemon thread, which is abandoned after the limit.
     */
    static <T> T call(Callable<T> task, @Nullable Duration limit) throws Exception {
        if (limit == null) {
            return task.call();
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> complete(result, task), "umh-set-up");
        thread.setDaemon(true);
        thread.start();
        return get(result, limit);
    }

    private static <T> void complete(CompletableFuture<T> result, Callable<T> task) {
        try {
            result.complete(task.call());
        } catch (Throwable e) {
            result.completeExceptionally(e);
        }
    }

    /** The future's value; its exception is thrown as if it came from this thread. */
    static <T> T get(CompletableFuture<T> future, @Nullable Duration limit) throws Exception {
        try {
            return limit == null ? future.get() : future.get(nanos(limit), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw (Error) e.getCause();
        }
    }

    private static long nanos(Duration limit) {
        try {
            return limit.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
