// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.Child;
import org.umh4j.linux.Errno;
import org.umh4j.linux.WaitStatus;

/**
 * Hands the helper's result to the waiting caller, which then runs cleanup. If the caller has stopped waiting, a
 * thread of the library runs cleanup when the result arrives. The counterpart of {@code sub_info->complete}.
 *
 * <p>Both sides set one flag, and the first one decides which side runs cleanup, so it runs exactly once. The kernel
 * uses {@code xchg()} on that pointer for the same purpose.
 */
final class Completion {
    private final SubprocessInfo info;
    private final CompletableFuture<Void> arrived = new CompletableFuture<>();
    /** Set before {@code arrived} completes. A primitive, since there may be no memory for an Integer. */
    private int result;

    /** Set by the result when it arrives, or by the caller when it stops waiting. */
    private final AtomicBoolean decided = new AtomicBoolean();

    Completion(SubprocessInfo info) {
        this.info = info;
    }

    /** Takes the result from a child: the result of {@code execve}, or if {@code untilExit} the wait status. */
    void follow(Child child, boolean untilExit) {
        child.outcome().thenAccept(launch -> {
            try {
                info.recordPid(launch.pid()); // a new pid namespace has a second process
                info.recordUnapplied(launch.unapplied());
                if (launch.result() < 0) {
                    CallFailure.of(info, launch);
                }
            } finally { // also after an OutOfMemoryError, since the caller waits
                if (launch.result() < 0 || !untilExit) {
                    arrive(launch.result());
                }
            }
        });
        if (untilExit) {
            child.exit().thenAccept(end -> arrive(retval(end.status())));
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

    /** Ends the caller's interest in the result; false if the result has arrived already. */
    boolean stopWaiting() {
        return decided.compareAndSet(false, true);
    }

    /** Waits for the result; empty if an interrupt has ended the wait. The interrupt flag stays set. */
    OptionalInt await(boolean killable) {
        try {
            if (killable) {
                arrived.get();
            } else {
                arrived.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            if (stopWaiting()) {
                return OptionalInt.empty();
            }
            arrived.join();
        } catch (ExecutionException e) {
            throw new AssertionError("the future of a result never fails", e);
        }
        return OptionalInt.of(result);
    }

    /** The raw status, as the kernel returns it; {@code -ECHILD} for a lost one, as {@code wait(2)} fails. */
    static int retval(int status) {
        return status == WaitStatus.LOST.raw() ? -Errno.ECHILD.number() : status;
    }
}
