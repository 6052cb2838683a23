// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.umh4j.internal.Child;
import org.umh4j.internal.Workers;

/**
 * A program that was started and may be running.
 *
 * <p>It is one process, whatever becomes of its number: signals go through a pidfd and can't reach a later process with
 * the same pid. It is reaped as soon as it ends, whether anybody asks or not, and costs one descriptor until then and
 * no thread.
 *
 * <p>All methods may be called from any thread at any time, also after {@link #close}.
 */
public final class Helper implements AutoCloseable {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Child child;

    Helper(Child child) {
        this.child = child;
    }

    /** The process id, in this JVM's pid namespace. */
    public long pid() {
        return child.pid();
    }

    /** Whether the process has not been reaped yet. */
    public boolean isAlive() {
        return !child.exit().isDone();
    }

    /**
     * A future that is completed when the process has ended and been reaped.
     *
     * <p>Each call answers a future of its own; completing or cancelling it does nothing to the helper. What hangs on it
     * runs in a thread of the library, of which there are two: code that blocks belongs into an executor of yours.
     */
    public CompletableFuture<WaitStatus> onExit() {
        return child.exit().thenApplyAsync(WaitStatus::new, Workers.executor());
    }

    /** The status if the process has ended. */
    public Optional<WaitStatus> status() {
        return isAlive() ? Optional.empty() : Optional.of(new WaitStatus(child.exit().join()));
    }

    /**
     * Waits for the end of the process.
     *
     * @throws InterruptedException if the waiting thread is interrupted; the helper runs on
     */
    public WaitStatus waitFor() throws InterruptedException {
        try {
            return new WaitStatus(child.exit().get());
        } catch (ExecutionException e) {
            throw new AssertionError("a status is a number", e);
        }
    }

    /**
     * Waits for the end of the process, but not for ever.
     *
     * @return the status; empty when the process was still alive at the end of the timeout
     * @throws InterruptedException if the waiting thread is interrupted; the helper runs on
     */
    public Optional<WaitStatus> waitFor(Duration timeout) throws InterruptedException {
        try {
            return Optional.of(new WaitStatus(child.exit().get(saturatedNanos(timeout), TimeUnit.NANOSECONDS)));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new AssertionError("a status is a number", e);
        }
    }

    /**
     * Sends a signal.
     *
     * @return whether it was sent; false when the process has ended
     * @throws UmhException if the kernel refuses: {@code EPERM} for a helper that has become another user's
     */
    public boolean kill(Signal signal) throws UmhException {
        return kill(signal.number());
    }

    /**
     * Sends a signal by number, real-time signals among them; 0 only asks whether the process exists.
     *
     * @return as {@link #kill(Signal)}
     * @throws UmhException as {@link #kill(Signal)}
     */
    public boolean kill(int signal) throws UmhException {
        if (signal < 0 || signal > Signal.LARGEST) {
            throw new IllegalArgumentException("signal " + signal + " is not in 0 to " + Signal.LARGEST);
        }
        int result = child.signal(signal);
        if (result == 0) {
            return true;
        }
        if (result == -Errno.ESRCH.number()) {
            return false;
        }
        throw new UmhException("pid " + pid(), UmhStage.KILL, result, signal);
    }

    /**
     * What the helper was not given because this host does not let the JVM give it: the attributes of these stages are
     * as the JVM has them. Empty on an ordinary host for a JVM of root.
     */
    public Set<UmhStage> kept() {
        long kept = child.outcome().join().kept();
        Set<UmhStage> stages = EnumSet.noneOf(UmhStage.class);
        for (UmhStage stage : UmhStage.values()) {
            if ((kept & stage.bit()) != 0) {
                stages.add(stage);
            }
        }
        return stages;
    }

    /**
     * Kills the process if it is alive, and waits until it is reaped: at most five seconds, which only a process that
     * hangs in the kernel needs, and that one is reaped later. Not interruptible; may be called again.
     */
    @Override
    public void close() {
        if (child.exit().isDone()) {
            return;
        }
        child.signal(Signal.KILL.number());
        boolean interrupted = false;
        long deadline = System.nanoTime() + CLOSE_TIMEOUT.toNanos();
        for (;;) {
            try {
                waitFor(Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0)));
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static long saturatedNanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    @Override
    public String toString() {
        return "Helper[pid " + pid() + ", " + status().map(WaitStatus::toString).orElse("alive") + "]";
    }
}
