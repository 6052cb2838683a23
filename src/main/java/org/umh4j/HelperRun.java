// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.PipeEnd;
import org.umh4j.internal.StartDeadline;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;

/**
 * Runs one helper from start to end in the caller's thread. It reads and writes the pipes without blocking, then
 * sleeps until a pipe is ready, the helper has ended, or the timeout has expired.
 */
final class HelperRun {
    /** The largest capacity of a pipe, and so of the output that is unread when its helper has ended. */
    private static final int MAX_PIPE_BYTES = 1 << 20;

    private static final byte[] NO_BYTES = {};

    private final Helper helper;
    private final RunOptions options;
    private final OutputBuffer out;
    private final OutputBuffer err;
    private final @Nullable PipeEnd stdin;
    private final StartDeadline deadline;
    private final List<RunResult.SentSignal> signalsSent = new ArrayList<>();
    /** The time from the call to the helper's end; null until then. */
    private @Nullable Duration elapsed;

    private int written;

    private HelperRun(Helper helper, RunOptions options, StartDeadline deadline) {
        this.helper = helper;
        this.deadline = deadline;
        this.options = options;
        out = new OutputBuffer(helper.pipes().reader(1), options.outputLimit());
        err = new OutputBuffer(helper.pipes().reader(2), options.outputLimit());
        stdin = helper.pipes().writer(0);
    }

    static RunResult run(SubprocessInfo info, RunOptions options) throws IOException, InterruptedException {
        Objects.requireNonNull(info, "info");
        Descriptors ofCall = info.task().descriptors().orElse(Descriptors.none());
        Descriptors descriptors = Objects.requireNonNull(options, "options").addTo(ofCall);
        if (descriptors.hasPipesBeyondStandard()) {
            throw new IllegalArgumentException(
                    "run does not return the other end of a pipe beyond 0, 1 and 2; use start");
        }
        info.task(info.task().descriptors(descriptors));
        Duration timeout = options.timeout();
        StartDeadline deadline = StartDeadline.of(timeout == null ? Long.MAX_VALUE : Timeouts.saturatedNanos(timeout));
        try (Helper helper = start(info, options, deadline)) {
            return new HelperRun(helper, options, deadline).toEnd(info.path());
        }
    }

    /**
     * Starts the helper. The timeout counts from the call. If it expires before {@code execve}, the process is killed.
     */
    private static Helper start(SubprocessInfo info, RunOptions options, StartDeadline deadline)
            throws IOException, InterruptedException {
        try {
            return Execution.start(info, deadline);
        } catch (UmhException e) {
            if (deadline.isInterrupted() && Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (deadline.remainingNanos() > 0 || e.errno() != Errno.ETIMEDOUT.number()) {
                throw e;
            }
            Duration timeout = Objects.requireNonNull(options.timeout());
            RunResult empty = new RunResult(
                    WaitStatus.LOST,
                    NO_BYTES,
                    NO_BYTES,
                    false,
                    false,
                    Instant.now(),
                    timeout,
                    List.of(),
                    Optional.empty(),
                    Set.of());
            throw new HelperTimeoutException(info.path() + ": not started within " + timeout, empty, e);
        }
    }

    private RunResult toEnd(@Nullable String path) throws IOException, InterruptedException {
        try {
            Duration timeout = options.timeout();
            if (transferUntilExit(deadline.remainingNanos())) {
                return result();
            }
            if (!helper.terminate()) {
                transferUntilExit(Timeouts.CLOSE.toNanos()); // it has ended meanwhile
                return result();
            }
            recordSent(Signal.TERM);
            String signals = "SIGTERM after " + timeout;
            if (!transferUntilExit(Timeouts.saturatedNanos(options.grace()))) {
                if (helper.killAll()) {
                    recordSent(Signal.KILL);
                    signals += ", SIGKILL " + options.grace() + " later";
                }
                transferUntilExit(Timeouts.CLOSE.toNanos());
            }
            throw new HelperTimeoutException(path + ": " + signals, result(), null);
        } catch (HelperFailedException e) {
            throw e;
        } catch (IOException e) {
            helper.close();
            throw new HelperFailedException(path + ": " + e.getMessage(), result(), e);
        }
    }

    private void recordSent(Signal signal) {
        signalsSent.add(new RunResult.SentSignal(signal, sinceCall()));
    }

    private Duration sinceCall() {
        return Duration.ofNanos(deadline.elapsedNanos());
    }

    /** Transfers data until the helper has ended; false if the time is over before. */
    private boolean transferUntilExit(long nanos) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (helper.isAlive()) {
            long remaining = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - begin);
            if (remaining <= 0) {
                return false;
            }
            if (Thread.interrupted()) { // sleep() is never called while the helper writes all the time
                throw new InterruptedException();
            }
            if (!transfer()) {
                sleep(remaining);
            }
        }
        elapsed = sinceCall();
        drain();
        return true;
    }

    /** Reads and writes without waiting; false if no byte was transferred. */
    private boolean transfer() throws IOException {
        return out.read() + err.read() + write() > 0;
    }

    private int write() throws IOException {
        if (stdin == null || !stdin.isOpen()) {
            return 0;
        }
        byte[] input = options.input() == null ? NO_BYTES : options.input();
        int size = 0;
        try {
            size = written < input.length ? stdin.writeNow(input, written, input.length - written) : 0;
        } catch (IOException e) {
            stdin.close(); // the helper has closed its end without reading all of it
        }
        written += size;
        if (written == input.length) {
            stdin.close();
        }
        return size;
    }

    private void sleep(long nanos) throws IOException, InterruptedException {
        List<CompletableFuture<?>> events = new ArrayList<>();
        events.add(helper.exitEvent());
        out.addEventTo(events);
        err.addEventTo(events);
        if (stdin != null && stdin.isOpen()) {
            events.add(stdin.whenReady());
        }
        try {
            CompletableFuture.anyOf(events.toArray(CompletableFuture[]::new)).get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // the caller checks the time
        } catch (ExecutionException e) {
            throw new AssertionError("the future of an event never fails", e);
        }
    }

    /** Reads the rest of the output. The bound ends it if another process holds the pipe and continues to write. */
    private void drain() throws IOException {
        for (OutputBuffer output : new OutputBuffer[] {out, err}) {
            for (int remaining = MAX_PIPE_BYTES; remaining > 0; ) {
                int size = output.read();
                if (size <= 0) {
                    break;
                }
                remaining -= size;
            }
        }
    }

    private RunResult result() {
        return new RunResult(
                helper.status().orElse(WaitStatus.LOST),
                out.bytes(),
                err.bytes(),
                out.truncated(),
                err.truncated(),
                helper.startTime(),
                elapsed == null ? sinceCall() : elapsed,
                List.copyOf(signalsSent),
                helper.usage(),
                helper.unapplied());
    }
}
