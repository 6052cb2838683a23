// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The JVM's end of a pipe to a helper.
 *
 * <p>The descriptor never blocks. Who has to wait parks until the reaper tells that it is ready, so a virtual thread
 * pins nothing; a platform thread first waits a moment in the kernel, which is faster when the other side is busy.
 * Closing wakes who waits. One lock guards the descriptor, and no call that could wait is made under it; writers
 * hold another one until all is written.
 *
 * <p>Once the helper has ended, {@link #release} closes the descriptor and keeps the pipe's content here.
 */
public final class PipeEnd implements Watcher {
    private static final int NONE = -1;
    private static final int MOMENT_MILLIS = 10;
    /** The size of a buffer between two descriptors: the default capacity of a pipe. */
    public static final int CHUNK_BYTES = 64 << 10;
    /** The largest capacity of a pipe, and so of the content that a helper can leave. */
    private static final int LARGEST_PIPE = 1 << 20;
    /** The wait for output of other processes that hold the pipe, while no thread reads. */
    private static final long LINGER_NANOS = 2_000_000_000L;
    /** The number of descriptors that may be kept for that at a time. */
    private static final int MOST_LINGERING = 64;

    private static final AtomicInteger LINGERING = new AtomicInteger();
    private static final int EAGAIN = Native.eagain();
    private static final int EBADF = Native.ebadf();
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
    private boolean closed;
    /** New calls find it closed; calls that already wait go on. */
    private boolean behind;
    /** The helper has ended, and the descriptor must be closed. */
    private boolean ended;
    /** The content of the pipe at that moment. */
    private @Nullable ByteBuffer rest;
    /** The number of threads that read or write, and whether one did so lately. */
    private int inside;

    private boolean used;
    private boolean lingers;

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

    /** A call on the descriptor, if that still refers to the same file. */
    private interface Transfer {
        int apply(int fd, long identity);
    }

    /** A read, which takes kept content first. */
    private interface Reading extends Transfer {
        int take(ByteBuffer kept);
    }

    private record ArrayRead(byte[] bytes, int offset, int length) implements Reading {
        @Override
        public int apply(int fd, long identity) {
            return Native.read(fd, identity, bytes, offset, length);
        }

        @Override
        public int take(ByteBuffer kept) {
            int size = Math.min(length, kept.remaining());
            kept.get(bytes, offset, size);
            return size;
        }
    }

    private record DirectRead(ByteBuffer into, int position, int length) implements Reading {
        @Override
        public int apply(int fd, long identity) {
            return Native.readDirect(fd, identity, into, position, length);
        }

        @Override
        public int take(ByteBuffer kept) {
            int size = Math.min(length, kept.remaining());
            into.put(position, kept, kept.position(), size);
            kept.position(kept.position() + size);
            return size;
        }
    }

    /** Reads what there is, waiting for the first byte; -1 at the end. */
    public int read(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : end(transfer(new ArrayRead(bytes, offset, length), true));
    }

    /** The same, and an interrupt does not end the wait: it stays pending. */
    public int readUninterruptibly(byte[] bytes, int offset, int length) throws IOException {
        return length == 0 ? 0 : end(transfer(new ArrayRead(bytes, offset, length), false));
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
                ? end(transfer(new DirectRead(into, position, length), true))
                : read(into.array(), into.arrayOffset() + position, length);
        into.position(position + Math.max(size, 0));
        return size;
    }

    /** Reads what there is now: 0 when that is nothing, -1 at the end. */
    public int readNow(byte[] bytes, int offset, int length) throws IOException {
        int size = attempt(new ArrayRead(bytes, offset, length), false);
        return size == -EAGAIN ? 0 : end(checked(size));
    }

    /** Writes all of it, waiting while there is no room. Writers take turns: what each one writes stays together. */
    public void write(byte[] bytes, int offset, int length) throws IOException {
        takeTurn();
        writeAll(bytes, offset, length, true);
    }

    /** The same, and an interrupt does not end the wait: it stays pending. */
    public void writeUninterruptibly(byte[] bytes, int offset, int length) throws IOException {
        turn.lock();
        writeAll(bytes, offset, length, false);
    }

    private void writeAll(byte[] bytes, int offset, int length, boolean interruptibly) throws IOException {
        enter();
        try {
            for (int done = 0; done < length; ) {
                int at = offset + done;
                int left = length - done;
                done += transfer((fd, is) -> Native.write(fd, is, bytes, at, left), interruptibly);
            }
        } finally {
            leave();
            turn.unlock();
        }
    }

    /** The same from a buffer, whose position tells how much was written even when not all was. */
    public void write(ByteBuffer from) throws IOException {
        takeTurn();
        enter();
        try {
            while (from.hasRemaining()) {
                from.position(from.position() + writeSome(from));
            }
        } finally {
            leave();
            turn.unlock();
        }
    }

    private int writeSome(ByteBuffer from) throws IOException {
        int position = from.position();
        int length = from.remaining();
        if (from.isDirect()) {
            return transfer((fd, is) -> Native.writeDirect(fd, is, from, position, length), true);
        }
        if (from.hasArray()) {
            int at = from.arrayOffset() + position;
            return transfer((fd, is) -> Native.write(fd, is, from.array(), at, length), true);
        }
        byte[] bytes = new byte[Math.min(length, CHUNK_BYTES)];
        from.duplicate().get(bytes);
        return transfer((fd, is) -> Native.write(fd, is, bytes, 0, bytes.length), true);
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
        int size = attempt((fd, is) -> Native.write(fd, is, bytes, offset, length), false);
        return size == -EAGAIN ? 0 : checked(size);
    }

    /** How many bytes can be read at once. */
    public int available() throws IOException {
        lock.lock();
        try {
            requireOpen(false);
            int kept = rest == null ? 0 : rest.remaining();
            return kept + (fd == NONE ? 0 : checked(Native.available(fd, held.identity())));
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

    /** Closes the descriptor; who waits gets an AsynchronousCloseException. */
    public void close() {
        lock.lock();
        try {
            closed = true;
            behind = false;
            rest = null;
            giveBack();
        } finally {
            lock.unlock();
        }
        wake();
    }

    /**
     * Closes it for new calls. A read that is under way goes on until bytes arrive or the helper ends. If the
     * descriptor were closed before, the helper's next write would kill it by SIGPIPE.
     */
    public void closeBehindReaders() {
        lock.lock();
        try {
            behind = inside > 0 && !ended && !closed;
            closed = true;
            rest = null;
            if (!behind) {
                giveBack();
            }
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Requires the lock; the caller then wakes the waiting threads. */
    private void giveBack() {
        if (fd != NONE) {
            held.close();
            fd = NONE;
        }
    }

    /**
     * The helper has ended: closes the descriptor, at once if the pipe is at its end, else when no thread reads any
     * more. Content that arrives until then is kept. A writer's end is closed.
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
            ended = true;
            if (closed || drain() || inside == 0 && !linger()) {
                giveBack();
            }
        } finally {
            lock.unlock();
        }
        wake(); // waiting threads find the kept content
    }

    /** A write that is under way goes on, since another process may read it. */
    private void releaseWriter() {
        lock.lock();
        try {
            ended = true;
            if (inside > 0) {
                return;
            }
        } finally {
            lock.unlock();
        }
        close();
    }

    /** Keeps the content of the pipe. Returns whether the pipe is at its end. Requires the lock. */
    private boolean drain() {
        for (int room = LARGEST_PIPE; room > 0; ) {
            byte[] bytes = new byte[Math.max(1, Math.min(Native.available(fd, held.identity()), room))];
            int size = Native.read(fd, held.identity(), bytes, 0, bytes.length);
            if (size <= 0) {
                return size != -EAGAIN;
            }
            keep(bytes, size);
            room -= size;
        }
        return false;
    }

    private void keep(byte[] bytes, int size) {
        int before = rest == null ? 0 : rest.remaining();
        ByteBuffer all = before == 0 ? ByteBuffer.wrap(bytes, 0, size) : ByteBuffer.allocate(before + size);
        if (before != 0) {
            all.put(rest).put(bytes, 0, size).flip();
        }
        rest = all;
    }

    /**
     * Keeps the descriptor for a while: another process holds the pipe, and a reader may still come. False when too
     * many are kept. Requires the lock.
     */
    private boolean linger() {
        if (lingers) {
            return true;
        }
        if (LINGERING.get() >= MOST_LINGERING) {
            return false;
        }
        try {
            Reaper.after(LINGER_NANOS, this::lookAgain);
        } catch (OutOfMemoryError e) {
            return false;
        }
        lingers = true;
        used = false;
        LINGERING.incrementAndGet();
        return true;
    }

    /** Closes the descriptor if no thread has read for a while. A reader that is under way closes it when it leaves. */
    private void lookAgain() {
        lock.lock();
        try {
            lingers = false;
            LINGERING.decrementAndGet();
            if (fd == NONE || inside > 0 || used && linger()) {
                return;
            }
            drain();
            giveBack();
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
            requireOpen(true);
            if (over || fd == NONE) {
                return CompletableFuture.completedFuture(null);
            }
            if (ready == null) {
                checked(held.isOwn() ? 0 : -EBADF);
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

    /** Wakes the waiting threads if other code has closed the descriptor: epoll would never report it as ready. */
    @Override
    public void check(boolean unwatched) {
        if (unwatched || !held.isOwn()) {
            wake();
        }
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

    private int transfer(Transfer transfer, boolean interruptibly) throws IOException {
        enter();
        try {
            int size = attempt(transfer, false);
            return checked(size == -EAGAIN ? awaitAndTransfer(transfer, interruptibly) : size);
        } finally {
            leave();
        }
    }

    private int awaitAndTransfer(Transfer transfer, boolean interruptibly) throws IOException {
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
            inside++;
        } finally {
            lock.unlock();
        }
    }

    /** The last thread that leaves closes the descriptor of a helper that has ended. */
    private void leave() {
        lock.lock();
        try {
            inside--;
            if (inside > 0 || fd == NONE || !ended && !closed || !closed && event == READABLE && linger()) {
                return;
            }
            if (event == WRITABLE) {
                closed = true;
            } else if (!closed) {
                drain();
            }
            giveBack();
        } finally {
            lock.unlock();
        }
        wake();
    }

    private int attempt(Transfer transfer, boolean hasWaited) throws IOException {
        boolean atEnd;
        int size;
        lock.lock();
        try {
            requireOpen(hasWaited);
            if (over && event == WRITABLE) {
                return -Native.epipe();
            }
            used = true;
            if (transfer instanceof Reading reading && rest != null && rest.hasRemaining()) {
                return reading.take(rest);
            }
            size = fd == NONE ? 0 : transfer.apply(fd, held.identity());
            atEnd = size == 0 && ended && fd != NONE;
            if (atEnd) {
                giveBack();
            }
            size = size == -EAGAIN && over ? 0 : size;
        } finally {
            lock.unlock();
        }
        if (atEnd) {
            wake();
        }
        return size;
    }

    /** Not under the lock: should the descriptor be closed and used again meanwhile, it is only looked at. */
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
            throw new AssertionError("readiness has no failure", e);
        }
    }

    private static InterruptedIOException interrupted() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted; the pipe is still open and nothing was lost");
    }

    private void requireOpen(boolean hasWaited) throws ClosedChannelException {
        if (closed && !(behind && hasWaited)) {
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
