// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;

/** Starts a helper in a separate thread, so that a caller with a time limit is not blocked by the start. */
final class StarterThread {
    /** A start after the limit does not outlive umh: the launcher dies with the thread that made it. */
    private static final Duration GRACE = Duration.ofMillis(500);

    private final CompletableFuture<Helper> started = new CompletableFuture<>();

    StarterThread(SubprocessInfo info) {
        Thread thread = new Thread(() -> start(info), "umh-start");
        thread.setDaemon(true);
        thread.start();
    }

    private void start(SubprocessInfo info) {
        try {
            Helper helper = UsermodeHelper.start(info);
            if (!started.complete(helper)) {
                helper.close();
            }
        } catch (Throwable e) {
            started.completeExceptionally(e);
        }
    }

    /** The helper, or the reason why it could not be started. */
    Helper await(@Nullable Duration limit) throws Exception {
        try {
            return Bounded.get(started, limit);
        } catch (TimeoutException e) {
            over();
            throw e;
        }
    }

    /** From now on a helper is killed as soon as it has been started. */
    void over() {
        started.cancel(false);
    }

    /** At the end of umh. */
    void end() {
        try {
            ExecCommand.terminate(started.get(GRACE.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            over();
        } catch (ExecutionException | CancellationException | InterruptedException e) {
            // there is no helper, or it has ended
        }
    }
}
