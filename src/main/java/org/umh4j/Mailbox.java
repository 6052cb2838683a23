// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.PipeEnd;

/**
 * Exchanges requests and replies with a driver over its two pipes.
 *
 * <pre>{@code
 * driver.fork();
 * try (Mailbox mailbox = Mailbox.of(driver, 64 << 10)) {   // messages of up to 64 KiB
 *     byte[] reply = mailbox.request(message, Duration.ofSeconds(2));
 * }
 * }</pre>
 *
 * <p>On the pipes a message has a header of eight bytes and a content; the methods take and return the content alone.
 * The header has the length of the content and the number of the message, both 32 bits with the most significant byte
 * first. A reply has the number of its request. Replies may arrive in any order, and any number of requests may be
 * pending.
 *
 * <p>A request receives its reply or fails, exactly once. If the driver ends or sends an invalid message, all pending
 * requests fail at once. No request is sent again, since only the caller knows whether a repetition is safe. A reply
 * to a request whose caller has stopped waiting is dropped.
 *
 * <p>A waiting caller parks, so a virtual thread does not pin its carrier. A driver that does not read or reply
 * delays its callers until their timeouts, and blocks no thread of the library. The mailbox owns the pipes: no other
 * code may use them.
 */
public final class Mailbox implements AutoCloseable {
    /** The size of the header before the content of a message. */
    public static final int HEADER_BYTES = 8;

    /** The number of chunks after which the reaper's thread turns to other events. */
    private static final int MAX_CHUNKS_AT_ONCE = 16;

    /** A message to be sent, and the future of its reply. */
    private static final class Request {
        private final int number;
        private final byte[] bytes;
        private final CompletableFuture<byte[]> reply = new CompletableFuture<>();
        private int sent;

        Request(int number, byte[] content) {
            this.number = number;
            this.bytes = ByteBuffer.allocate(HEADER_BYTES + content.length)
                    .putInt(content.length)
                    .putInt(number)
                    .put(content)
                    .array();
        }
    }

    /**
     * Thrown if the mailbox had failed or was closed before, so the driver has not received any byte of the request.
     */
    static final class NotSentException extends IOException {
        private static final long serialVersionUID = 1;

        NotSentException(IOException reason) {
            super(reason.getMessage(), reason);
        }
    }

    private final PipeEnd toDriver;
    private final PipeEnd fromDriver;
    private final int maxContentBytes;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Integer, Request> pending = new HashMap<>();
    private final ArrayDeque<Request> outgoing = new ArrayDeque<>();
    private int lastNumber;
    private boolean waitsForRoom;
    private @Nullable IOException failure;

    // The message that is being received. Calls of receive() never overlap.
    private final byte[] chunk = new byte[PipeEnd.CHUNK_BYTES];
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private @Nullable ByteBuffer content;

    private Mailbox(PipeEnd toDriver, PipeEnd fromDriver, int maxContentBytes) {
        this.toDriver = toDriver;
        this.fromDriver = fromDriver;
        this.maxContentBytes = maxContentBytes;
    }

    /**
     * Creates a mailbox over the pipes of a driver that was forked. After the next fork a new mailbox is needed.
     *
     * @param maxContentBytes the largest content of a message in either direction, without the header
     * @throws IllegalStateException if the driver has no process
     * @throws IllegalArgumentException if the number is negative or too large for an array with the header
     */
    public static Mailbox of(UsermodeDriver driver, int maxContentBytes) {
        Objects.requireNonNull(driver, "driver");
        return of(driver.pipeToUmh(), driver.pipeFromUmh(), maxContentBytes);
    }

    /**
     * Creates a mailbox over two pipes of any helper.
     *
     * @param maxContentBytes the largest content of a message in either direction, without the header
     * @throws IllegalArgumentException as {@link #of(UsermodeDriver, int)}
     */
    public static Mailbox of(PipeWriter toHelper, PipeReader fromHelper, int maxContentBytes) {
        if (maxContentBytes < 0 || maxContentBytes > Integer.MAX_VALUE - HEADER_BYTES) {
            throw new IllegalArgumentException(
                    "maxContentBytes " + maxContentBytes + " is not in 0 to " + (Integer.MAX_VALUE - HEADER_BYTES));
        }
        Mailbox mailbox = new Mailbox(
                Objects.requireNonNull(toHelper, "toHelper").end(),
                Objects.requireNonNull(fromHelper, "fromHelper").end(),
                maxContentBytes);
        mailbox.receive();
        return mailbox;
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @param message the content of the request
     * @return the content of the reply
     * @throws TimeoutException if no reply arrives within the timeout; the mailbox remains usable
     * @throws IOException if the mailbox is closed, or the driver has ended, has closed a pipe, or has sent an
     *     invalid message
     * @throws InterruptedException if the caller is interrupted. If it was interrupted before the call, the request
     *     is not sent
     * @throws IllegalArgumentException if the content is larger than the limit
     */
    public byte[] request(byte[] message, Duration timeout) throws IOException, InterruptedException, TimeoutException {
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(timeout, "timeout");
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted before the request was sent");
        }
        Request request = submit(message);
        try {
            return request.reply.get(Timeouts.saturatedNanos(timeout), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new TimeoutException("no reply within " + timeout);
        } catch (ExecutionException e) {
            Throwable reason = Objects.requireNonNull(e.getCause());
            throw new IOException(reason.getMessage(), reason);
        } finally {
            forget(request);
        }
    }

    /**
     * Sends a request and returns a future of its reply.
     *
     * <p>The future fails with an {@link IOException} in the cases in which {@link #request} throws one. Dependent
     * functions run in a thread of the library, as those of {@link Helper#onExit} do. A request whose future was
     * canceled or has timed out is forgotten: its reply is dropped.
     *
     * @param message the content of the request
     * @return a future of the content of the reply
     * @throws IOException if the mailbox is closed or has failed already; the request is not sent
     * @throws IllegalArgumentException if the content is larger than the limit
     */
    public CompletableFuture<byte[]> requestAsync(byte[] message) throws IOException {
        Request request = submit(message);
        CompletableFuture<byte[]> reply = request.reply.thenApplyAsync(bytes -> bytes, CallbackThreads.executor());
        reply.whenComplete((bytes, failure) -> forget(request)); // also if the caller cancels it
        return reply;
    }

    /** As {@link #requestAsync}, but dependents may run in the reaper's thread, so they must not block. */
    CompletableFuture<byte[]> requestInternally(byte[] message) throws IOException {
        Request request = submit(message);
        request.reply.whenComplete((bytes, failure) -> forget(request));
        return request.reply;
    }

    private Request submit(byte[] message) throws IOException {
        if (Objects.requireNonNull(message, "message").length > maxContentBytes) {
            throw new IllegalArgumentException(
                    "the message has " + message.length + " bytes; the limit is " + maxContentBytes);
        }
        Request request;
        lock.lock();
        try {
            if (failure != null) {
                throw new NotSentException(failure);
            }
            do {
                lastNumber++;
            } while (pending.containsKey(lastNumber));
            request = new Request(lastNumber, message);
            pending.put(lastNumber, request);
            outgoing.add(request);
        } finally {
            lock.unlock();
        }
        send();
        return request;
    }

    /** Removes a request. If none of its bytes was sent, it will not be sent; otherwise it must be sent completely. */
    private void forget(Request request) {
        lock.lock();
        try {
            pending.remove(request.number, request);
            if (request.sent == 0) {
                outgoing.remove(request);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends as many bytes as the pipe has room for, and continues when it has room again. */
    private void send() {
        try {
            if (sendNow()) {
                toDriver.whenReady().thenRun(() -> {
                    roomAvailable();
                    send();
                });
            }
        } catch (IOException e) {
            fail(e);
        }
    }

    private void roomAvailable() {
        lock.lock();
        try {
            waitsForRoom = false;
        } finally {
            lock.unlock();
        }
    }

    /** Sends without waiting; true if this call must wait for room in the pipe. Only one call at a time gets true. */
    private boolean sendNow() throws IOException {
        lock.lock();
        try {
            while (!waitsForRoom && !outgoing.isEmpty()) {
                Request first = outgoing.peek();
                int size = toDriver.writeNow(first.bytes, first.sent, first.bytes.length - first.sent);
                first.sent += size;
                waitsForRoom = size == 0;
                if (first.sent == first.bytes.length) {
                    outgoing.remove();
                }
                if (waitsForRoom) {
                    return true;
                }
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Reads the available bytes, and continues when there are more. It runs in the reaper's thread, so it never waits.
     */
    private void receive() {
        try {
            int size = 1;
            for (int i = 0; i < MAX_CHUNKS_AT_ONCE && size > 0; i++) {
                size = fromDriver.readNow(chunk, 0, chunk.length);
                accept(ByteBuffer.wrap(chunk, 0, Math.max(size, 0)));
            }
            if (size < 0) {
                throw new EOFException("the driver has ended, or has closed its pipe");
            }
            fromDriver.whenReady().thenRun(this::receive);
        } catch (IOException e) {
            fail(e);
        } catch (OutOfMemoryError e) {
            fail(new IOException("no memory for a message of the driver; use a lower maxContentBytes", e));
        }
    }

    private void accept(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (content == null) {
                transfer(bytes, header);
                content = header.hasRemaining() ? null : ByteBuffer.allocate(contentLength());
            }
            if (content != null) {
                transfer(bytes, content);
                if (!content.hasRemaining()) {
                    deliver(header.getInt(Integer.BYTES), content.array());
                    header.clear();
                    content = null;
                }
            }
        }
    }

    private int contentLength() throws IOException {
        int length = header.getInt(0);
        if (length < 0 || length > maxContentBytes) {
            throw new IOException("the driver has sent a message of " + Integer.toUnsignedLong(length)
                    + " bytes; the limit is " + maxContentBytes);
        }
        return length;
    }

    private static void transfer(ByteBuffer from, ByteBuffer into) {
        int size = Math.min(from.remaining(), into.remaining());
        into.put(from.slice(from.position(), size));
        from.position(from.position() + size);
    }

    private void deliver(int number, byte[] reply) {
        Request request;
        lock.lock();
        try {
            request = pending.remove(number);
        } finally {
            lock.unlock();
        }
        if (request != null) { // null if the caller has stopped waiting
            request.reply.complete(reply);
        }
    }

    /** Closes both pipes. Pending requests fail. */
    @Override
    public void close() {
        fail(new IOException("the mailbox is closed"));
    }

    /**
     * A future that completes at a close or a failure. Dependents may run in the reaper's thread, so they must not
     * block.
     */
    CompletableFuture<Void> onClose() {
        return closed;
    }

    /** Closes both pipes. Pending and later requests fail for this reason. */
    void fail(IOException reason) {
        List<Request> failed;
        lock.lock();
        try {
            failure = failure == null ? reason : failure;
            failed = new ArrayList<>(pending.values());
            pending.clear();
            outgoing.clear();
        } finally {
            lock.unlock();
        }
        toDriver.close();
        fromDriver.close();
        failed.forEach(request -> request.reply.completeExceptionally(reason));
        closed.complete(null);
    }
}
