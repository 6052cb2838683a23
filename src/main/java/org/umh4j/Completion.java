// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.Child;
import org.umh4j.internal.Stages;

/**
 * Where a caller and its helper's result meet, or miss each other: {@code sub_info->complete}.
 *
 * <p>Whoever comes second ends the call: the result finds a waiting caller and hands itself over, and the caller runs
 * cleanup; or it finds that the caller has left, and cleanup is run for it. The kernel decides it by an
 * {@code xchg()} on that pointer, this class by one flag.
 */
final class Completion {
    private final SubprocessInfo info;
    private final CompletableFuture<Void> arrived = new CompletableFuture<>();
    /** Set before it has arrived. A number, since memory may be lacking for a box. */
    private int result;

    private final AtomicBoolean decided = new AtomicBoolean();

    Completion(SubprocessInfo info) {
        this.info = info;
    }

    /** The result will be the child's outcome, or its wait status. */
    void follow(Child child, boolean untilExit) {
        child.outcome().thenAccept(launch -> {
            try {
                info.started(launch.pid()); // a successor may have replaced the first process
                info.executed(launch.unapplied());
                if (launch.result() < 0) {
                    CallFailure.of(info, Stages.of(launch.stage()), launch.result(), launch.detail());
                }
            } finally { // whatever memory was lacking for: somebody waits
                if (launch.result() < 0 || !untilExit) {
                    arrive(launch.result());
                }
            }
        });
        if (untilExit) {
            child.exit().thenAccept(end -> arrive(Execution.retval(end.status())));
        }
    }

    private void arrive(int retval) {
        if (decided.compareAndSet(false, true)) {
            result = retval;
            arrived.complete(null);
        } else {
            CallbackThreads.execute(() -> info.release(retval));
        }
    }

    /** The caller does not wait any longer; false when the result was there first. */
    boolean leave() {
        return decided.compareAndSet(false, true);
    }

    /** The result; empty when the caller was interrupted and left. The interrupt flag stays set. */
    OptionalInt await(boolean killable) {
        try {
            if (killable) {
                arrived.get();
            } else {
                arrived.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            if (leave()) {
                return OptionalInt.empty();
            }
            arrived.join();
        } catch (ExecutionException e) {
            throw new AssertionError("a result is a number", e);
        }
        return OptionalInt.of(result);
    }
}
