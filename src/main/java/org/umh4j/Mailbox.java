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
 * Requests to a driver and its replies, over its two pipes.
 *
 * <p>A message is eight bytes and its content: the content's length and a number, 32 bits each, the most significant byte
 * first. A reply bears the number of its request; replies may come in any order. A request is answered, or fails, exactly
 * once: when the driver ends or sends what is no reply, all that are under way fail at once, and nothing is sent again,
 * since only the caller knows whether that is safe. A reply that comes after its request was given up is dropped.
 *
 * <p>Any number of requests may be under way. Who waits parks, virtual threads included; a driver that does not read, or does
 * not answer, costs a deadline and no thread. The pipes belong to the mailbox from now on.
 */
public final class Mailbox implements AutoCloseable {
    /** How many bytes stand before a message's content. */
    public static final int HEADER_BYTES = 8;

    private static final int CHUNK = 64 << 10;

    /** How many chunks are read before others have their turn. */
    private static final int TURN = 16;

    /** A message on its way out, and the reply that is expected. */
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

    /** The conversation was over before, so the driver has seen nothing of the request. */
    static final class NotSentException extends IOException {
        private static final long serialVersionUID = 1;

        NotSentException(IOException reason) {
            super(reason.getMessage(), reason);
        }
    }

    private final PipeEnd to;
    private final PipeEnd from;
    private final int limit;
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Integer, Request> pending = new HashMap<>();
    private final ArrayDeque<Request> outgoing = new ArrayDeque<>();
    private int issued;
    private boolean awaitsRoom;
    private @Nullable IOException failure;

    // The message that is being read. One call of readable() comes after the other.
    private final byte[] chunk = new byte[CHUNK];
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    private @Nullable ByteBuffer content;

    private Mailbox(PipeEnd to, PipeEnd from, int limit) {
        this.to = to;
        this.from = from;
        this.limit = limit;
    }

    /**
     * A mailbox over the pipes of a driver that was forked.
     *
     * @param limitBytes how large a message's content may be, in both directions
     */
    public static Mailbox of(UsermodeDriver driver, int limitBytes) {
        Objects.requireNonNull(driver, "driver");
        return of(driver.pipeToUmh(), driver.pipeFromUmh(), limitBytes);
    }

    /** A mailbox over two pipes of any helper. */
    public static Mailbox of(PipeWriter to, PipeReader from, int limitBytes) {
        if (limitBytes < 0 || limitBytes > Integer.MAX_VALUE - HEADER_BYTES) {
            throw new IllegalArgumentException("a message can't have " + limitBytes + " bytes");
        }
        Mailbox mailbox = new Mailbox(
                Objects.requireNonNull(to, "to").end(),
                Objects.requireNonNull(from, "from").end(),
                limitBytes);
        mailbox.readable();
        return mailbox;
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @throws TimeoutException if there is none in time; the mailbox goes on working
     * @throws IOException if the driver has ended or closed a pipe, or has sent what is no reply
     * @throws InterruptedException if the caller is interrupted; the request is given up, or, if it was interrupted before, not sent
     * @throws IllegalArgumentException if the request is larger than the limit
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
            giveUp(request);
        }
    }

    /**
     * Sends a request and returns a future of its reply, which fails as {@link #request} does. Dependent stages run in
     * a thread of the library, as with {@link Helper#onExit}.
     */
    public CompletableFuture<byte[]> post(byte[] message) throws IOException {
        Request request = submit(message);
        CompletableFuture<byte[]> reply = request.reply.thenApplyAsync(bytes -> bytes, CallbackThreads.executor());
        reply.whenComplete((bytes, none) -> giveUp(request)); // the caller may have set a timeout
        return reply;
    }

    /** The same for the library's own dependent stages. They do not block, so they may run in the reaper. */
    CompletableFuture<byte[]> postOwn(byte[] message) throws IOException {
        Request request = submit(message);
        request.reply.whenComplete((bytes, none) -> giveUp(request));
        return request.reply;
    }

    private Request submit(byte[] message) throws IOException {
        if (Objects.requireNonNull(message, "message").length > limit) {
            throw new IllegalArgumentException("a message of " + message.length + " bytes; the limit is " + limit);
        }
        Request request;
        lock.lock();
        try {
            if (failure != null) {
                throw new NotSentException(failure);
            }
            do {
                issued++;
            } while (pending.containsKey(issued));
            request = new Request(issued, message);
            pending.put(issued, request);
            outgoing.add(request);
        } finally {
            lock.unlock();
        }
        send();
        return request;
    }

    /** Nobody waits for the reply any more. What has not begun to be sent never is; what has must be sent whole. */
    private void giveUp(Request request) {
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

    /** Sends what there is room for, and comes again when there is more. */
    private void send() {
        try {
            if (sendNow()) {
                to.whenReady().thenRun(() -> {
                    arrived();
                    send();
                });
            }
        } catch (IOException e) {
            fail(e);
        }
    }

    private void arrived() {
        lock.lock();
        try {
            awaitsRoom = false;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the caller has to wait for room; one at a time does. */
    private boolean sendNow() throws IOException {
        lock.lock();
        try {
            while (!awaitsRoom && !outgoing.isEmpty()) {
                Request first = outgoing.peek();
                int size = to.writeNow(first.bytes, first.sent, first.bytes.length - first.sent);
                first.sent += size;
                awaitsRoom = size == 0;
                if (first.sent == first.bytes.length) {
                    outgoing.remove();
                }
                if (awaitsRoom) {
                    return true;
                }
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Reads what there is, and comes again when there is more. Runs in the reaper, so it never waits. */
    private void readable() {
        try {
            int size = 1;
            for (int i = 0; i < TURN && size > 0; i++) {
                size = from.readNow(chunk, 0, CHUNK);
                accept(ByteBuffer.wrap(chunk, 0, Math.max(size, 0)));
            }
            if (size < 0) {
                throw new EOFException("the driver has ended, or closed its pipe");
            }
            from.whenReady().thenRun(this::readable);
        } catch (IOException e) {
            fail(e);
        } catch (OutOfMemoryError e) {
            fail(new IOException("no memory for a message", e));
        }
    }

    private void accept(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (content == null) {
                move(bytes, header);
                content = header.hasRemaining() ? null : ByteBuffer.allocate(announced());
            }
            if (content != null) {
                move(bytes, content);
                if (!content.hasRemaining()) {
                    deliver(header.getInt(Integer.BYTES), content.array());
                    header.clear();
                    content = null;
                }
            }
        }
    }

    private int announced() throws IOException {
        int length = header.getInt(0);
        if (length < 0 || length > limit) {
            throw new IOException("the driver has sent a message of " + Integer.toUnsignedLong(length)
                    + " bytes; the limit is " + limit);
        }
        return length;
    }

    private static void move(ByteBuffer from, ByteBuffer into) {
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
        if (request != null) { // else its request was given up
            request.reply.complete(reply);
        }
    }

    /** Fails what is under way and closes both pipes. */
    @Override
    public void close() {
        fail(new IOException("the mailbox is closed"));
    }

    /** Complete when the conversation is over, by close or failure. Dependents must not block: they may run in the reaper. */
    CompletableFuture<Void> over() {
        return over;
    }

    /** From now on every request fails. */
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
        to.close();
        from.close();
        failed.forEach(request -> request.reply.completeExceptionally(reason));
        over.complete(null);
    }
}
