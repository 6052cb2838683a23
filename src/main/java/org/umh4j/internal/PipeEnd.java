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
import org.jspecify.annotations.Nullable;

/**
 * The JVM's end of a pipe to a helper.
 *
 * <p>The descriptor is non-blocking. A thread that has to wait parks until the reaper reports that the descriptor is
 * ready, so a virtual thread does not pin its carrier. A platform thread first waits some milliseconds in
 * {@code poll(2)}, which is faster if the helper is active. Closing wakes the waiting threads. One lock guards the
 * descriptor, and no blocking call is made under it. A writer holds a second lock until all its bytes are written.
 *
 * <p>After the helper's end, {@link #release} closes the descriptor, and {@link PipeContent} keeps the pipe's content.
 */
public final class PipeEnd implements EventHandler {
    private static final int NONE = -1;
    private static final int MOMENT_MILLIS = 10;
    /** The size of a buffer between two descriptors: the default capacity of a pipe. */
    public static final int CHUNK_BYTES = 64 << 10;

    private static final int EAGAIN = Native.eagain();
    private static final int EBADF = Native.ebadf();
    private static final int READABLE = Native.readable();
    private static final int WRITABLE = Native.writable();

    private final int event;
    private final ReentrantLock lock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();
    private final OwnedDescriptor owned;
    private final PipeContent content = new PipeContent();
    private int fd;
    private long watch = NONE;
    private @Nullable CompletableFuture<Void> ready;
    /** The helper has ended: reads find the end after the content, and writes fail. */
    private boolean ended;

    private boolean closed;
    /** New calls find it closed, but calls that already wait continue. */
    private boolean servesWaiting;
    /** The helper has ended, and the descriptor is closed as soon as no thread needs it. */
    private boolean released;
    /** The number of threads that read or write. */
    private int activeCalls;
    /** Whether a thread has read or written since the last linger period began. */
    private boolean usedLately;

    private PipeEnd(int fd, int event) {
        this.fd = fd;
        this.event = event;
        this.owned = OwnedDescriptor.of(this, fd);
    }

    /** Creates an end from which the JVM reads. It owns the descriptor from now on. */
    static PipeEnd reading(int fd) {
        Native.setNonblocking(fd);
        return new PipeEnd(fd, READABLE);
    }

    /** Creates an end to which the JVM writes. It owns the descriptor from now on. */
    static PipeEnd writing(int fd) {
        Native.setNonblocking(fd);
        return new PipeEnd(fd, WRITABLE);
    }

    /** Reads the available bytes, and waits for the first one. Returns -1 at the end. An interrupt ends the wait. */
    public int read(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : end(transfer(new PipeTransfer.ArrayRead(bytes, offset, length), true));
    }

    /** Reads as {@link #read(byte[], int, int)}, but an interrupt does not end the wait and stays pending. */
    public int readUninterruptibly(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : end(transfer(new PipeTransfer.ArrayRead(bytes, offset, length), false));
    }

    /** Reads into a buffer, as {@link #read(byte[], int, int)}. */
    public int read(ByteBuffer into) throws IOException {
        if (into.isReadOnly()) {
            throw new IllegalArgumentException("the buffer is read-only");
        }
        int position = into.position();
        int length = into.remaining();
        if (length == 0) {
            return 0;
        }
        int size = into.isDirect()
                ? end(transfer(new PipeTransfer.DirectRead(into, position, length), true))
                : read(into.array(), into.arrayOffset() + position, length);
        into.position(position + Math.max(size, 0));
        return size;
    }

    /** Reads the available bytes without waiting. Returns 0 if there are none, and -1 at the end. */
    public int readNow(byte[] bytes, int offset, int length) throws IOException {
        int size = attempt(new PipeTransfer.ArrayRead(bytes, offset, length), false);
        return size == -EAGAIN ? 0 : end(checked(size));
    }

    /** Writes all bytes, and waits while the pipe is full. The bytes of concurrent writers are not mixed. */
    public void write(byte[] bytes, int offset, int length) throws IOException {
        lockForWrite();
        writeAll(bytes, offset, length, true);
    }

    /** Writes as {@link #write(byte[], int, int)}, but an interrupt does not end the wait and stays pending. */
    public void writeUninterruptibly(byte[] bytes, int offset, int length) throws IOException {
        writeLock.lock();
        writeAll(bytes, offset, length, false);
    }

    private void writeAll(byte[] bytes, int offset, int length, boolean interruptibly) throws IOException {
        enter();
        try {
            for (int done = 0; done < length; ) {
                int from = offset + done;
                int remaining = length - done;
                done += transfer((fd, identity) -> Native.write(fd, identity, bytes, from, remaining), interruptibly);
            }
        } finally {
            leave();
            writeLock.unlock();
        }
    }

    /**
     * Writes a buffer as {@link #write(byte[], int, int)}. After a failure its position shows the number of written
     * bytes.
     */
    public void write(ByteBuffer from) throws IOException {
        lockForWrite();
        enter();
        try {
            while (from.hasRemaining()) {
                from.position(from.position() + writeSome(from));
            }
        } finally {
            leave();
            writeLock.unlock();
        }
    }

    private int writeSome(ByteBuffer from) throws IOException {
        int position = from.position();
        int length = from.remaining();
        if (from.isDirect()) {
            return transfer((fd, identity) -> Native.writeDirect(fd, identity, from, position, length), true);
        }
        if (from.hasArray()) {
            int at = from.arrayOffset() + position;
            return transfer((fd, identity) -> Native.write(fd, identity, from.array(), at, length), true);
        }
        byte[] bytes = new byte[Math.min(length, CHUNK_BYTES)];
        from.duplicate().get(bytes);
        return transfer((fd, identity) -> Native.write(fd, identity, bytes, 0, bytes.length), true);
    }

    private void lockForWrite() throws InterruptedIOException {
        if (writeLock.tryLock()) {
            return;
        }
        try {
            writeLock.lockInterruptibly();
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    /** Writes as many bytes as fit now, without waiting. Returns their number, which may be 0. */
    public int writeNow(byte[] bytes, int offset, int length) throws IOException {
        int size = attempt((fd, identity) -> Native.write(fd, identity, bytes, offset, length), false);
        return size == -EAGAIN ? 0 : checked(size);
    }

    /** Returns the number of bytes that can be read without waiting. */
    public int available() throws IOException {
        lock.lock();
        try {
            requireOpen(false);
            return content.size() + (fd == NONE ? 0 : checked(Native.available(fd, owned.identity())));
        } finally {
            lock.unlock();
        }
    }

    public boolean isOpen() {
        lock.lock();
        try {
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the descriptor. Waiting threads get an AsynchronousCloseException. */
    public void close() {
        lock.lock();
        try {
            closed = true;
            servesWaiting = false;
            content.clear();
            closeDescriptor();
        } finally {
            lock.unlock();
        }
        wake();
    }

    /**
     * Closes it for new calls. A read that already waits continues until bytes arrive or the helper ends. If the
     * descriptor were closed earlier, the helper's next write would kill it by SIGPIPE.
     */
    public void closeForNewCalls() {
        lock.lock();
        try {
            servesWaiting = activeCalls > 0 && !released && !closed;
            closed = true;
            content.clear();
            if (!servesWaiting) {
                closeDescriptor();
            }
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Requires the lock. The caller then wakes the waiting threads. */
    private void closeDescriptor() {
        if (fd != NONE) {
            owned.close();
            fd = NONE;
        }
    }

    /**
     * Called after the helper's end. Closes the descriptor: at once if the pipe is at its end, else as soon as no
     * thread reads any more. Content that arrives until then is kept. An end for writing is closed.
     */
    void release() {
        if (event == WRITABLE) {
            releaseWriter();
            return;
        }
        lock.lock();
        try {
            if (fd == NONE) {
                return;
            }
            released = true;
            if (closed || content.drain(fd, owned.identity()) || activeCalls == 0 && !linger()) {
                closeDescriptor();
            }
        } finally {
            lock.unlock();
        }
        wake(); // waiting threads find the kept content
    }

    /** A write that already waits continues, since another process may read its bytes. */
    private void releaseWriter() {
        lock.lock();
        try {
            released = true;
            if (activeCalls > 0) {
                return;
            }
        } finally {
            lock.unlock();
        }
        close();
    }

    /**
     * Keeps the descriptor open for a while, since another process holds the pipe and a reader may come. Returns false
     * if too many descriptors are kept. Requires the lock.
     */
    private boolean linger() {
        if (!content.isLingering()) {
            usedLately = false;
        }
        return content.linger(this::closeIfUnused);
    }

    /**
     * Closes the descriptor if no thread has read during the linger period. A reading thread closes it when it leaves.
     */
    private void closeIfUnused() {
        lock.lock();
        try {
            content.endLinger();
            if (fd == NONE || activeCalls > 0 || usedLately && linger()) {
                return;
            }
            content.drain(fd, owned.identity());
            closeDescriptor();
        } finally {
            lock.unlock();
        }
        wake();
    }

    /**
     * Called after the helper's end. Content can still be read; then reads find the end, even if another process holds
     * the pipe. Writes fail with "Broken pipe".
     */
    void endStream() {
        lock.lock();
        try {
            ended = true;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Returns a future that is completed when the end is ready or closed. Callers share one future until then. */
    public CompletableFuture<Void> whenReady() throws IOException {
        lock.lock();
        try {
            requireOpen(true);
            if (ended || fd == NONE) {
                return CompletableFuture.completedFuture(null);
            }
            if (ready == null) {
                checked(owned.isSameFile() ? 0 : -EBADF);
                watch = Reaper.register(this);
                int result = Reaper.arm(fd, event, watch);
                if (result < 0) {
                    Reaper.forget(watch);
                }
                checked(result);
                ready = new CompletableFuture<>(); // an event that has already occurred waits for the lock
            }
            return ready;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onEvent(int occurred) {
        wake();
    }

    /** Wakes the waiting threads if other code has closed the descriptor: epoll would never report it as ready. */
    @Override
    public void check(boolean isNewEpoll) {
        if (isNewEpoll || !owned.isSameFile()) {
            wake();
        }
    }

    /** Wakes the waiting threads. The reaper refers to this object only while a thread waits. */
    private void wake() {
        CompletableFuture<Void> waiting;
        lock.lock();
        try {
            Reaper.forget(watch); // first: if it lacks memory, the reaper calls this method again
            waiting = ready;
            ready = null;
        } finally {
            lock.unlock();
        }
        if (waiting != null) {
            waiting.complete(null);
        }
    }

    private int transfer(PipeTransfer transfer, boolean interruptibly) throws IOException {
        enter();
        try {
            int size = attempt(transfer, false);
            return checked(size == -EAGAIN ? awaitAndTransfer(transfer, interruptibly) : size);
        } finally {
            leave();
        }
    }

    private int awaitAndTransfer(PipeTransfer transfer, boolean interruptibly) throws IOException {
        int size = -EAGAIN;
        try {
            for (boolean first = true; size == -EAGAIN; first = false) {
                if (!first || VirtualThreads.isCurrent() || !pollForAMoment()) {
                    await(whenReady(), interruptibly);
                }
                size = attempt(transfer, true);
            }
            return size;
        } catch (ClosedChannelException e) {
            throw new AsynchronousCloseException(); // it was open when the wait began
        }
    }

    private void enter() {
        lock.lock();
        try {
            activeCalls++;
        } finally {
            lock.unlock();
        }
    }

    /** After the helper's end, the last active thread closes the descriptor. */
    private void leave() {
        lock.lock();
        try {
            activeCalls--;
            if (activeCalls > 0 || fd == NONE || !released && !closed || !closed && event == READABLE && linger()) {
                return;
            }
            if (event == WRITABLE) {
                closed = true;
            } else if (!closed) {
                content.drain(fd, owned.identity());
            }
            closeDescriptor();
        } finally {
            lock.unlock();
        }
        wake();
    }

    private int attempt(PipeTransfer transfer, boolean hasWaited) throws IOException {
        boolean atEnd;
        int size;
        lock.lock();
        try {
            requireOpen(hasWaited);
            if (ended && event == WRITABLE) {
                return -Native.epipe();
            }
            usedLately = true;
            if (transfer instanceof PipeTransfer.Read read && content.size() > 0) {
                return content.transferTo(read);
            }
            size = fd == NONE ? 0 : transfer.apply(fd, owned.identity());
            atEnd = size == 0 && released && fd != NONE;
            if (atEnd) {
                closeDescriptor();
            }
            size = size == -EAGAIN && ended ? 0 : size;
        } finally {
            lock.unlock();
        }
        if (atEnd) {
            wake();
        }
        return size;
    }

    /** Without the lock: if the number belongs to another file by now, this call only waits for the wrong file. */
    private boolean pollForAMoment() {
        int now = fd;
        return now != NONE && Native.poll(now, event, MOMENT_MILLIS) != 0;
    }

    private static void await(CompletableFuture<?> event, boolean interruptibly) throws IOException {
        if (!interruptibly) {
            event.join();
            return;
        }
        try {
            event.get();
        } catch (InterruptedException e) {
            throw interrupted();
        } catch (ExecutionException e) {
            throw new AssertionError("the future is never completed with an exception", e);
        }
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted; the pipe is still open and nothing was lost");
    }

    private void requireOpen(boolean hasWaited) throws ClosedChannelException {
        if (closed && !(servesWaiting && hasWaited)) {
            throw new ClosedChannelException();
        }
    }

    private static int end(int size) {
        return size == 0 ? -1 : size;
    }

    private static String message(int result) {
        if (result == -EBADF) {
            return "the pipe's descriptor was closed by other code of this JVM";
        }
        return result == -Native.epipe() ? "Broken pipe" : "errno " + -result;
    }

    private static int checked(int result) throws IOException {
        if (result < 0) {
            throw new IOException(message(result));
        }
        return result;
    }
}
