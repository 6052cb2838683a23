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
 * One helper from start to end with its streams, in the caller's thread: reads and writes what there is, then sleeps
 * until there is more, the helper has ended, or the time is over.
 */
final class HelperRun {
    /** What is still in a pipe when its helper has ended is no more than the largest pipe holds. */
    private static final int LARGEST_PIPE = 1 << 20;

    private static final byte[] NOTHING = {};

    private final Helper helper;
    private final RunOptions options;
    private final OutputBuffer out;
    private final OutputBuffer err;
    private final @Nullable PipeEnd stdin;
    private final StartDeadline patience;
    private final List<RunResult.Sent> sent = new ArrayList<>();
    /** Until the end; null when that was not seen. */
    private @Nullable Duration elapsed;

    private int written;

    private HelperRun(Helper helper, RunOptions options, StartDeadline patience) {
        this.helper = helper;
        this.patience = patience;
        this.options = options;
        out = new OutputBuffer(helper.pipes().reader(1), options.limit());
        err = new OutputBuffer(helper.pipes().reader(2), options.limit());
        stdin = helper.pipes().writer(0);
    }

    static RunResult run(SubprocessInfo info, RunOptions options) throws IOException, InterruptedException {
        Objects.requireNonNull(info, "info");
        Descriptors own = info.task().descriptors().orElse(Descriptors.none());
        Descriptors descriptors = Objects.requireNonNull(options, "options").descriptors(own);
        if (descriptors.hasPipesBeyondStandard()) {
            throw new IllegalArgumentException(
                    "nobody would have the other end of a pipe beyond 0, 1 and 2; use start");
        }
        info.task(info.task().descriptors(descriptors));
        Duration timeout = options.timeout();
        StartDeadline patience = StartDeadline.of(timeout == null ? Long.MAX_VALUE : Timeouts.saturatedNanos(timeout));
        try (Helper helper = start(info, options, patience)) {
            return new HelperRun(helper, options, patience).toEnd(info.path());
        }
    }

    /** The timeout counts from the call. If it expires before the program has begun, no helper is left. */
    private static Helper start(SubprocessInfo info, RunOptions options, StartDeadline patience)
            throws IOException, InterruptedException {
        try {
            return Execution.start(info, patience);
        } catch (UmhException e) {
            if (patience.isInterrupted() && Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (patience.leftNanos() > 0 || e.errno() != Errno.ETIMEDOUT.number()) {
                throw e;
            }
            Duration timeout = Objects.requireNonNull(options.timeout());
            RunResult nothing = new RunResult(
                    WaitStatus.LOST,
                    NOTHING,
                    NOTHING,
                    false,
                    false,
                    Instant.now(),
                    timeout,
                    List.of(),
                    Optional.empty(),
                    Set.of());
            throw new HelperTimeoutException(info.path() + ": not started within " + timeout, nothing, e);
        }
    }

    private RunResult toEnd(@Nullable String path) throws IOException, InterruptedException {
        try {
            Duration timeout = options.timeout();
            if (pumpUntilExit(patience.leftNanos())) {
                return result();
            }
            if (!helper.terminate()) {
                pumpUntilExit(Helper.CLOSE_TIMEOUT.toNanos()); // it has ended by itself, a moment ago
                return result();
            }
            note(Signal.TERM);
            String signals = "SIGTERM after " + timeout;
            if (!pumpUntilExit(Timeouts.saturatedNanos(options.grace()))) {
                if (helper.killAll()) {
                    note(Signal.KILL);
                    signals += ", SIGKILL " + options.grace() + " later";
                }
                pumpUntilExit(Helper.CLOSE_TIMEOUT.toNanos());
            }
            throw new HelperTimeoutException(path + ": " + signals, result(), null);
        } catch (HelperFailedException e) {
            throw e;
        } catch (IOException e) {
            helper.close();
            throw new HelperFailedException(path + ": " + e.getMessage(), result(), e);
        }
    }

    private void note(Signal signal) {
        sent.add(new RunResult.Sent(signal, sinceBegin()));
    }

    private Duration sinceBegin() {
        return Duration.ofNanos(patience.pastNanos());
    }

    /** Whether the helper ended within the time. */
    private boolean pumpUntilExit(long nanos) throws IOException, InterruptedException {
        long from = System.nanoTime();
        while (helper.isAlive()) {
            long left = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - from);
            if (left <= 0) {
                return false;
            }
            if (Thread.interrupted()) { // a helper that writes all the time lets nobody sleep
                throw new InterruptedException();
            }
            if (!pump()) {
                sleep(left);
            }
        }
        elapsed = sinceBegin();
        drain();
        return true;
    }

    /** Moves what can be moved now; whether that was anything. */
    private boolean pump() throws IOException {
        return out.read() + err.read() + write() > 0;
    }

    private int write() throws IOException {
        if (stdin == null || !stdin.isOpen()) {
            return 0;
        }
        byte[] input = options.input() == null ? NOTHING : options.input();
        int size = 0;
        try {
            size = written < input.length ? stdin.writeNow(input, written, input.length - written) : 0;
        } catch (IOException e) {
            stdin.close(); // a helper need not read all of it
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
        out.addTo(events);
        err.addTo(events);
        if (stdin != null && stdin.isOpen()) {
            events.add(stdin.whenReady());
        }
        try {
            CompletableFuture.anyOf(events.toArray(CompletableFuture[]::new)).get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // the caller looks at the clock
        } catch (ExecutionException e) {
            throw new AssertionError("events have no failure", e);
        }
    }

    /** A grandchild may hold the pipes and write on: what the helper itself wrote is in them by now. */
    private void drain() throws IOException {
        for (OutputBuffer sink : new OutputBuffer[] {out, err}) {
            for (int left = LARGEST_PIPE; left > 0; ) {
                int size = sink.read();
                if (size <= 0) {
                    break;
                }
                left -= size;
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
                elapsed == null ? sinceBegin() : elapsed,
                List.copyOf(sent),
                helper.usage(),
                helper.unapplied());
    }
}
