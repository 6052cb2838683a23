// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.IntSupplier;

/**
 * Opens a file in a new thread, for a caller whose wait is limited.
 *
 * <p>A file system that does not respond blocks that thread, but not the caller. The number of these threads is
 * limited, and each ends after its open.
 */
final class OpenerThread implements Runnable {
    /** An open that is done within this time succeeds even if the caller was interrupted before. */
    private static final long USUAL_NANOS = 50_000_000;

    /** Longer than the kernel's default for the holder of a lease, /proc/sys/fs/lease-break-time. */
    private static final long LONGEST_RETRY_NANOS = 60_000_000_000L;

    private static final Semaphore THREADS = new Semaphore(64);

    private final IntSupplier open;
    private final CompletableFuture<Integer> fd = new CompletableFuture<>();

    private OpenerThread(IntSupplier open) {
        this.open = open;
    }

    /**
     * Opens a file, which may take time. If the wait has a limit, another thread opens it, since a file system that
     * does not respond blocks that thread. A descriptor that arrives too late is closed.
     *
     * <p>The open does not block, so it fails while another process holds a lease on the file. It is then repeated, as
     * a blocking {@code open(2)} would wait.
     *
     * @param open returns a descriptor or a negative errno
     */
    static int open(IntSupplier open, StartDeadline patience) {
        long begun = System.nanoTime();
        for (; ; ) {
            int fd = patience.isEndless() ? open.getAsInt() : inThread(open, patience);
            if (fd != -Native.eagain()) {
                return fd;
            }
            if (System.nanoTime() - begun > LONGEST_RETRY_NANOS || patience.leftNanos() == 0) {
                return patience.ended(-Native.etimedout());
            }
            if (!patience.pause()) {
                return patience.ended(-Native.eintr());
            }
        }
    }

    /** The descriptor, or a negative errno: {@code -EAGAIN} without a thread for it. */
    private static int inThread(IntSupplier open, StartDeadline patience) {
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
        int result = open.getAsInt();
        THREADS.release();
        if (!fd.complete(result) && result >= 0) {
            Native.closeIfSame(result, Native.fileIdentity(result));
        }
    }
}
