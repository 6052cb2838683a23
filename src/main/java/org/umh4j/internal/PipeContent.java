// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The content of a pipe whose helper has ended: it is read into memory, so that the descriptor can be closed.
 *
 * <p>If another process still holds the pipe and no thread reads, the descriptor stays open for a while, since a reader
 * may come. The number of such descriptors in the JVM is limited. The lock of the {@link PipeEnd} guards all members.
 */
final class PipeContent {
    /** The largest capacity of a pipe, and so of the content that a helper can leave. */
    private static final int MAX_BYTES = 1 << 20;
    /** The time for which a descriptor stays open for a reader. */
    private static final long LINGER_NANOS = 2_000_000_000L;
    /** The largest number of descriptors that stay open for that at the same time. */
    private static final int MAX_LINGERING = 64;

    private static final AtomicInteger LINGERING = new AtomicInteger();
    private static final int EAGAIN = Native.eagain();

    private @Nullable ByteBuffer bytes;
    private boolean lingers;

    /** Returns the number of bytes that are kept. */
    int size() {
        return bytes == null ? 0 : bytes.remaining();
    }

    /** Has a read take kept bytes; requires that there are some. */
    int transferTo(PipeTransfer.Read read) {
        return bytes == null ? 0 : read.take(bytes);
    }

    void clear() {
        bytes = null;
    }

    /** Reads the content of the pipe into memory. Returns whether the pipe is at its end. */
    boolean drain(int fd, long identity) {
        for (int room = MAX_BYTES; room > 0; ) {
            byte[] chunk = new byte[Math.max(1, Math.min(Native.available(fd, identity), room))];
            int size = Native.read(fd, identity, chunk, 0, chunk.length);
            if (size <= 0) {
                return size != -EAGAIN;
            }
            append(chunk, size);
            room -= size;
        }
        return false;
    }

    private void append(byte[] chunk, int size) {
        int before = size();
        ByteBuffer all = before == 0 ? ByteBuffer.wrap(chunk, 0, size) : ByteBuffer.allocate(before + size);
        if (before != 0) {
            all.put(bytes).put(chunk, 0, size).flip();
        }
        bytes = all;
    }

    /**
     * Calls the task after the time for which a descriptor stays open. Returns false if too many descriptors are open.
     */
    boolean linger(Runnable atEnd) {
        if (lingers) {
            return true;
        }
        if (LINGERING.get() >= MAX_LINGERING) {
            return false;
        }
        try {
            Reaper.after(LINGER_NANOS, atEnd);
        } catch (OutOfMemoryError e) {
            return false;
        }
        lingers = true;
        LINGERING.incrementAndGet();
        return true;
    }

    /** The time is over: the task of {@link #linger} calls this first. */
    void endLinger() {
        lingers = false;
        LINGERING.decrementAndGet();
    }

    boolean isLingering() {
        return lingers;
    }
}
