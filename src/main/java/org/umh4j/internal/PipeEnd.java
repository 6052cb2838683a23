// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The JVM's end of a pipe to a helper.
 *
 * <p>The descriptor never blocks. Who has to wait parks until the reaper tells that it is ready, so a virtual thread
 * pins nothing; a platform thread first waits a moment in the kernel, which is faster when the other side is busy.
 * Closing wakes who waits. One lock guards the descriptor, and no call that could wait is made under it; writers
 * hold another one until all is written.
 */
public final class PipeEnd implements Watcher {
    private static final int NONE = -1;
    private static final int MOMENT_MILLIS = 10;
    private static final int CHUNK = 64 << 10;
    private static final int EAGAIN = Native.eagain();
    private static final int READABLE = Native.readable();
    private static final int WRITABLE = Native.writable();

    private final int event;
    private final ReentrantLock lock = new ReentrantLock();
    private final ReentrantLock turn = new ReentrantLock();
    private final HeldDescriptor held;
    private int fd;
    private long watch = NONE;
    private @Nullable CompletableFuture<Void> ready;
    private boolean over;

    private PipeEnd(int fd, int event) {
        this.fd = fd;
        this.event = event;
        this.held = HeldDescriptor.of(this, fd);
    }

    /** The end from which the JVM reads. The descriptor is this object's from now on. */
    static PipeEnd reading(int fd) {
        Native.setNonblocking(fd);
        return new PipeEnd(fd, READABLE);
    }

    /** The end to which the JVM writes. */
    static PipeEnd writing(int fd) {
        Native.setNonblocking(fd);
        return new PipeEnd(fd, WRITABLE);
    }

    private interface Transfer {
        int apply(int fd);
    }

    /** Reads what there is, waiting for the first byte; -1 at the end. */
    public int read(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : end(transfer(fd -> Native.read(fd, bytes, offset, length)));
    }

    /** The same into a buffer. */
    public int read(ByteBuffer into) throws IOException {
        if (into.isReadOnly()) {
            throw new IllegalArgumentException("a buffer that can't be written to");
        }
        int position = into.position();
        int length = into.remaining();
        if (length == 0) {
            return 0;
        }
        int size = into.isDirect()
                ? end(transfer(fd -> Native.readDirect(fd, into, position, length)))
                : read(into.array(), into.arrayOffset() + position, length);
        into.position(position + Math.max(size, 0));
        return size;
    }

    /** Reads what there is now: 0 when that is nothing, -1 at the end. */
    public int readNow(byte[] bytes, int offset, int length) throws IOException {
        int size = attempt(fd -> Native.read(fd, bytes, offset, length));
        return size == -EAGAIN ? 0 : end(checked(size));
    }

    /** Writes all of it, waiting while there is no room. Writers take turns: what each one writes stays together. */
    public void write(byte[] bytes, int offset, int length) throws IOException {
        takeTurn();
        try {
            for (int done = 0; done < length; ) {
                int at = offset + done;
                int left = length - done;
                done += transfer(fd -> Native.write(fd, bytes, at, left));
            }
        } finally {
            turn.unlock();
        }
    }

    /** The same from a buffer, whose position tells how much was written even when not all was. */
    public void write(ByteBuffer from) throws IOException {
        takeTurn();
        try {
            while (from.hasRemaining()) {
                from.position(from.position() + writeSome(from));
            }
        } finally {
            turn.unlock();
        }
    }

    private int writeSome(ByteBuffer from) throws IOException {
        int position = from.position();
        int length = from.remaining();
        if (from.isDirect()) {
            return transfer(fd -> Native.writeDirect(fd, from, position, length));
        }
        if (from.hasArray()) {
            return transfer(fd -> Native.write(fd, from.array(), from.arrayOffset() + position, length));
        }
        byte[] bytes = new byte[Math.min(length, CHUNK)];
        from.duplicate().get(bytes);
        return transfer(fd -> Native.write(fd, bytes, 0, bytes.length));
    }

    private void takeTurn() throws InterruptedIOException {
        if (turn.tryLock()) {
            return;
        }
        try {
            turn.lockInterruptibly();
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    /** Writes what there is room for now, which may be nothing. */
    public int writeNow(byte[] bytes, int offset, int length) throws IOException {
        int size = attempt(fd -> Native.write(fd, bytes, offset, length));
        return size == -EAGAIN ? 0 : checked(size);
    }

    /** How many bytes can be read at once. */
    public int available() throws IOException {
        return checked(attempt(Native::available));
    }

    public boolean isOpen() {
        lock.lock();
        try {
            return fd != NONE;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the descriptor; who waits gets an AsynchronousCloseException. */
    public void close() {
        lock.lock();
        try {
            if (fd == NONE) {
                return;
            }
            held.close();
            fd = NONE;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /**
     * The helper has ended: what it has written can still be read, and then comes the end, whoever else holds the pipe;
     * nothing more is written.
     */
    void end() {
        lock.lock();
        try {
            over = true;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Has the future completed when the end is ready or closed; the same future for everybody until then. */
    public CompletableFuture<Void> whenReady() throws IOException {
        lock.lock();
        try {
            requireOpen();
            if (over) {
                return CompletableFuture.completedFuture(null);
            }
            if (ready == null) {
                watch = Reaper.register(this);
                int result = Reaper.arm(fd, event, watch);
                if (result < 0) {
                    Reaper.forget(watch);
                }
                checked(result);
                ready = new CompletableFuture<>(); // an event that has come already waits for the lock
            }
            return ready;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void happened(int what) {
        wake();
    }

    /** The reaper knows this object only while somebody waits. */
    private void wake() {
        CompletableFuture<Void> waiting;
        lock.lock();
        try {
            Reaper.forget(watch); // first: it may lack the memory for that, and comes again
            waiting = ready;
            ready = null;
        } finally {
            lock.unlock();
        }
        if (waiting != null) {
            waiting.complete(null);
        }
    }

    private int transfer(Transfer transfer) throws IOException {
        int size = attempt(transfer);
        try {
            for (boolean first = true; size == -EAGAIN; first = false) {
                if (!first || VirtualThreads.isCurrent() || !pollForAMoment()) {
                    park();
                }
                size = attempt(transfer);
            }
        } catch (ClosedChannelException e) {
            throw new AsynchronousCloseException(); // it was open when the wait began
        }
        return checked(size);
    }

    private int attempt(Transfer transfer) throws IOException {
        lock.lock();
        try {
            requireOpen();
            if (over && event == WRITABLE) {
                return -Native.epipe();
            }
            int size = transfer.apply(fd);
            return size == -EAGAIN && over ? 0 : size;
        } finally {
            lock.unlock();
        }
    }

    /** Not under the lock: should the descriptor be closed and used again meanwhile, it is only looked at. */
    private boolean pollForAMoment() {
        int now = fd;
        return now != NONE && Native.poll(now, event, MOMENT_MILLIS) != 0;
    }

    private void park() throws IOException {
        await(whenReady());
    }

    /** Waits until the end is ready, or closed, or something else has happened. */
    public void awaitReadyOr(CompletableFuture<?> other) throws IOException {
        await(CompletableFuture.anyOf(whenReady(), other));
    }

    private static void await(CompletableFuture<?> event) throws IOException {
        try {
            event.get();
        } catch (InterruptedException e) {
            throw interrupted();
        } catch (ExecutionException e) {
            throw new AssertionError("readiness has no failure", e);
        }
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted; the pipe is still open and nothing was lost");
    }

    private void requireOpen() throws ClosedChannelException {
        if (fd == NONE) {
            throw new ClosedChannelException();
        }
    }

    private static int end(int size) {
        return size == 0 ? -1 : size;
    }

    private static int checked(int result) throws IOException {
        if (result < 0) {
            throw new IOException(result == -Native.epipe() ? "Broken pipe" : "errno " + -result);
        }
        return result;
    }
}
