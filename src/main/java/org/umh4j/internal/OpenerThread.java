// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * Opens a file in a new thread, for a caller whose wait is limited.
 *
 * <p>A file system that does not respond blocks that thread, but not the caller. The number of these threads is
 * limited, and each ends after its open.
 */
final class OpenerThread implements Runnable {
    /** An open that is done within this time succeeds even if the caller was interrupted before. */
    private static final long USUAL_NANOS = 50_000_000;

    private static final Semaphore THREADS = new Semaphore(64);

    private final StartDeadline.Open open;
    private final CompletableFuture<Integer> fd = new CompletableFuture<>();

    private OpenerThread(StartDeadline.Open open) {
        this.open = open;
    }

    /** The descriptor, or a negative errno: {@code -EAGAIN} without a thread for it. */
    static int of(StartDeadline.Open open, StartDeadline patience) {
        OpenerThread opening = new OpenerThread(open);
        if (!THREADS.tryAcquire()) {
            return -Native.eagain();
        }
        try {
            Thread thread = new Thread(null, opening, "umh4j-opener", 0, false);
            thread.setDaemon(true);
            thread.start();
        } catch (OutOfMemoryError e) { // most often no memory, but no thread
            THREADS.release();
            return -Native.eagain();
        }
        int result = StartDeadline.comes(opening.fd, USUAL_NANOS) ? 0 : patience.await(opening.fd);
        return result == 0 || !opening.fd.complete(result) ? opening.fd.join() : result;
    }

    @Override
    public void run() {
        int result = open.open();
        THREADS.release();
        if (!fd.complete(result) && result >= 0) {
            Native.closeIfSame(result, Native.fileIdentity(result));
        }
    }
}
