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
    /** An open that takes less time succeeds even if the caller was interrupted before. */
    private static final long UNINTERRUPTIBLE_NANOS = 50_000_000;

    /** Longer than the kernel's default for the holder of a lease, /proc/sys/fs/lease-break-time. */
    private static final long MAX_RETRY_NANOS = 60_000_000_000L;

    private static final Semaphore THREADS = new Semaphore(64);

    private final IntSupplier open;
    private final CompletableFuture<Integer> fd = new CompletableFuture<>();

    private OpenerThread(IntSupplier open) {
        this.open = open;
    }

    /**
     * Opens a file within the limit. If there is a limit, another thread opens the file, because a file system that
     * does not respond blocks the thread. A descriptor that arrives after the limit is closed.
     *
     * <p>The open has {@code O_NONBLOCK}, so it fails with {@code EAGAIN} while another process holds a lease on the
     * file. It is then repeated.
     *
     * @param open returns a descriptor or a negative errno
     */
    static int open(IntSupplier open, StartDeadline deadline) {
        long begin = System.nanoTime();
        for (; ; ) {
            int fd = deadline.isEndless() ? open.getAsInt() : inThread(open, deadline);
            if (fd != -Native.eagain()) {
                return fd;
            }
            if (System.nanoTime() - begin > MAX_RETRY_NANOS || deadline.remainingNanos() == 0) {
                return deadline.endedBy(-Native.etimedout());
            }
            if (!deadline.pause()) {
                return deadline.endedBy(-Native.eintr());
            }
        }
    }

    /** Returns the descriptor or a negative errno: {@code -EAGAIN} if no thread can be created. */
    private static int inThread(IntSupplier open, StartDeadline deadline) {
        OpenerThread opener = new OpenerThread(open);
        if (!THREADS.tryAcquire()) {
            return -Native.eagain();
        }
        try {
            Thread thread = new Thread(null, opener, "umh4j-opener", 0, false);
            thread.setDaemon(true);
            thread.start();
        } catch (OutOfMemoryError e) { // usually a limit of threads
            THREADS.release();
            return -Native.eagain();
        }
        int result = StartDeadline.completesWithin(opener.fd, UNINTERRUPTIBLE_NANOS) ? 0 : deadline.await(opener.fd);
        return result == 0 || !opener.fd.complete(result) ? opener.fd.join() : result;
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
