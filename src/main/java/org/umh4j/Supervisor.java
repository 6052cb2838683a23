// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.Reaper;
import org.umh4j.internal.Reaper.Timer;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;

/**
 * Keeps a driver running, for callers that ask for it: forks it, asks it now and then whether it is well, and forks it again
 * when it has ended.
 *
 * <pre>{@code
 * try (Supervisor supervisor = Supervisor.of(driver, 64 << 10)
 *         .backoff(Duration.ofMillis(100), Duration.ofSeconds(10))
 *         .limit(5, Duration.ofMinutes(1))
 *         .health(ping, Duration.ofSeconds(5), Duration.ofSeconds(1))
 *         .listener(change -> log(change))
 *         .start()) {
 *     byte[] reply = supervisor.request(question, Duration.ofSeconds(2));
 * }
 * }</pre>
 *
 * <p>Requests go through a {@link Mailbox}. One that is under way when the driver ends fails, and is not sent again: only the
 * caller knows whether it may be done twice. One that is made while the driver is being restarted waits for that, within its
 * own timeout. A driver that does not answer the health check in time, closes a pipe or sends what is no message is killed,
 * and so restarted.
 *
 * <p>It has no thread of its own: it runs in the library's threads for callbacks.
 */
public final class Supervisor implements AutoCloseable {
    /** What the driver is doing. */
    public enum State {
        /** It is being forked. */
        STARTING,
        /** It runs. */
        RUNNING,
        /** It has ended, and is forked again when the backoff is over. */
        BACKING_OFF,
        /** It has ended too often and is not forked again. */
        GIVEN_UP,
        /** The supervisor was closed. */
        CLOSED
    }

    /**
     * A change of state, for the listener.
     *
     * @param state the new one
     * @param restarts how many restarts the limit counts at the moment
     * @param status how the process has ended, where one has
     * @param failure why none could be made, where that is so; also empty when the driver's task function threw something,
     *     which is logged
     */
    public record Change(State state, int restarts, Optional<WaitStatus> status, Optional<UmhException> failure) {
        /** No component may be null. */
        public Change {
            Objects.requireNonNull(state, "state");
            Objects.requireNonNull(status, "status");
            Objects.requireNonNull(failure, "failure");
        }
    }

    /** What is asked, how often, and how long the answer may take. */
    private record Health(byte[] question, Duration every, Duration deadline) {}

    /** One process of the driver's. */
    private record Incarnation(Helper process, Mailbox mailbox) {}

    private final UsermodeDriver driver;
    private final int limitBytes;
    private Duration first = RestartBackoff.DEFAULT_FIRST_PAUSE;
    private Duration longest = RestartBackoff.DEFAULT_LONGEST_PAUSE;
    private int most = RestartBackoff.DEFAULT_LIMIT;
    private Duration window = RestartBackoff.DEFAULT_WINDOW;
    private @Nullable Health health;
    private Consumer<Change> listener = change -> {};

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable RestartBackoff restarts;
    private @Nullable State state;
    private @Nullable Incarnation current;
    private @Nullable Timer restart;
    private @Nullable Timer nextCheck;

    private final SerialExecutor news = new SerialExecutor();

    private Supervisor(UsermodeDriver driver, int limitBytes) {
        this.driver = driver;
        this.limitBytes = limitBytes;
    }

    /**
     * For a driver that is loaded and does not run. It is the supervisor's from now on, and closed with it.
     *
     * @param limitBytes as {@link Mailbox#of(UsermodeDriver, int)}
     */
    public static Supervisor of(UsermodeDriver driver, int limitBytes) {
        return new Supervisor(Objects.requireNonNull(driver, "driver"), limitBytes);
    }

    /** The pause before a restart: the first one, doubled each time up to the longest. 100 ms and 10 s by default. */
    public Supervisor backoff(Duration firstPause, Duration longestPause) {
        requireNotStarted();
        Duration checked = positive(firstPause, "firstPause");
        longest = positive(longestPause, "longestPause");
        first = checked;
        return this;
    }

    /** How often it may be restarted within a time; the next end is the last. 5 times in a minute by default. */
    public Supervisor limit(int restartsAtMost, Duration within) {
        requireNotStarted();
        if (restartsAtMost < 0) {
            throw new IllegalArgumentException("a driver can't be restarted " + restartsAtMost + " times");
        }
        window = positive(within, "within");
        most = restartsAtMost;
        return this;
    }

    /** A request that a healthy driver answers within the deadline, whatever the answer. None by default. */
    public Supervisor health(byte[] request, Duration period, Duration answeredWithin) {
        requireNotStarted();
        if (Objects.requireNonNull(request, "request").length > limitBytes) {
            throw new IllegalArgumentException("a request of " + request.length + " bytes; the limit is " + limitBytes);
        }
        health = new Health(request.clone(), positive(period, "period"), positive(answeredWithin, "answeredWithin"));
        return this;
    }

    /** Has a function told of every change, one after the other in their order, in a thread of the library. */
    public Supervisor listener(Consumer<Change> function) {
        requireNotStarted();
        listener = Objects.requireNonNull(function, "listener");
        return this;
    }

    private static Duration positive(Duration duration, String what) {
        if (Objects.requireNonNull(duration, what).isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(what + " is not positive: " + duration);
        }
        return duration;
    }

    private void requireNotStarted() {
        if (state() != null) {
            throw new IllegalStateException("the supervisor was started");
        }
    }

    /**
     * Forks the driver for the first time and returns when it runs.
     *
     * @throws UmhException if that fails, which is not tried again; the driver is closed
     */
    public Supervisor start() throws UmhException {
        begin();
        boolean started = false;
        try {
            fork();
            started = true;
        } finally {
            if (!started) {
                close();
            }
        }
        return this;
    }

    private void begin() {
        lock.lock();
        try {
            requireNotStarted();
            restarts = new RestartBackoff(first, longest, most, window);
            enter(State.STARTING, Optional.empty(), Optional.empty());
        } finally {
            lock.unlock();
        }
    }

    /** What the driver is doing; null before the start. */
    public @Nullable State state() {
        lock.lock();
        try {
            return state;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends a request and waits for its reply, and before that for the driver if it is being restarted.
     *
     * @throws TimeoutException if there is none in time
     * @throws IOException if the driver has ended meanwhile, or is not restarted any more
     * @throws InterruptedException if the caller is interrupted
     */
    public byte[] request(byte[] message, Duration timeout) throws IOException, InterruptedException, TimeoutException {
        Objects.requireNonNull(message, "message");
        long nanos = Timeouts.saturatedNanos(timeout);
        long begin = System.nanoTime();
        for (; ; ) {
            Mailbox mailbox = running(Duration.ofNanos(nanos - (System.nanoTime() - begin)));
            try {
                return mailbox.request(message, Duration.ofNanos(nanos - (System.nanoTime() - begin)));
            } catch (Mailbox.NotSentException e) {
                // it has ended a moment ago: as if it were being restarted already
            }
        }
    }

    /** The mailbox of a driver that runs and has not ended the conversation. */
    private Mailbox running(Duration timeout) throws IOException, InterruptedException, TimeoutException {
        long left = Timeouts.saturatedNanos(timeout);
        lock.lock();
        try {
            while (state != State.RUNNING
                    || current == null
                    || current.mailbox.over().isDone()) {
                if (state == null || state == State.GIVEN_UP || state == State.CLOSED) {
                    throw new IOException(driver.name() + " is not running: " + state);
                }
                if (left <= 0) {
                    throw new TimeoutException(driver.name() + " was not running within " + timeout);
                }
                left = changed.awaitNanos(left);
            }
            return current.mailbox;
        } finally {
            lock.unlock();
        }
    }

    /** The driver runs when this returns, unless the supervisor was closed meanwhile. */
    private void fork() throws UmhException {
        driver.fork();
        Incarnation made = converse();
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return; // and so is the driver
            }
            current = made;
            enter(State.RUNNING, Optional.empty(), Optional.empty());
        } finally {
            lock.unlock();
        }
        made.mailbox
                .over()
                .thenRunAsync(() -> kill(made), CallbackThreads.executor()); // nobody can talk to it any more
        made.process.onExit().thenAccept(status -> ended(made, status)); // now, since it must not come before RUNNING
        checkLater(made);
    }

    /** A process that nobody can talk to must not be in the way of the next one. */
    private Incarnation converse() {
        Helper process = driver.process();
        try {
            return new Incarnation(process, Mailbox.of(driver, limitBytes));
        } catch (RuntimeException | Error e) {
            process.close();
            throw e;
        }
    }

    private void forkAgain() {
        lock.lock();
        try {
            if (state != State.BACKING_OFF) {
                return;
            }
            enter(State.STARTING, Optional.empty(), Optional.empty());
        } finally {
            lock.unlock();
        }
        try {
            fork();
        } catch (UmhException e) {
            restartLater(Optional.empty(), Optional.of(e));
        } catch (RuntimeException | Error e) { // of the driver's task function, or no memory
            System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, "a callback failed", e);
            restartLater(Optional.empty(), Optional.empty());
        }
    }

    /** Its requests have failed when the listener learns of it. */
    private void ended(Incarnation made, WaitStatus status) {
        made.mailbox.fail(new IOException(driver.name() + " has ended: " + status));
        restartLater(Optional.of(status), Optional.empty());
    }

    private void restartLater(Optional<WaitStatus> status, Optional<UmhException> failure) {
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return;
            }
            Optional<Duration> pause = Objects.requireNonNull(restarts).after(System.nanoTime());
            enter(pause.isPresent() ? State.BACKING_OFF : State.GIVEN_UP, status, failure);
            restart = pause.isEmpty() ? null : after(pause.get(), this::forkAgain);
        } finally {
            lock.unlock();
        }
    }

    /** Each process has its own chain of questions, which ends with it. */
    private void checkLater(Incarnation made) {
        Health asked = health;
        if (asked == null) {
            return;
        }
        lock.lock();
        try {
            if (state != State.CLOSED) {
                nextCheck = after(asked.every, () -> check(made, asked));
            }
        } finally {
            lock.unlock();
        }
    }

    private void check(Incarnation made, Health asked) {
        try {
            CompletableFuture<byte[]> reply = made.mailbox.postOwn(asked.question);
            Timer deadline = Reaper.after(
                    Timeouts.saturatedNanos(asked.deadline),
                    () -> reply.completeExceptionally(new TimeoutException("the driver does not answer")));
            reply.whenComplete((bytes, none) -> deadline.cancel());
            reply.whenCompleteAsync((bytes, none) -> checked(made, none), CallbackThreads.executor());
        } catch (IOException e) {
            // the conversation is over, and it is killed for that
        }
    }

    private void checked(Incarnation made, Throwable none) {
        if (none == null) {
            checkLater(made);
        } else {
            kill(made);
        }
    }

    /** This process or none: it may have ended, and another one run. */
    private static void kill(Incarnation made) {
        try {
            made.process.kill(Signal.KILL);
        } catch (UmhException e) {
            System.getLogger("org.umh4j")
                    .log(System.Logger.Level.WARNING, "a driver that does not answer is not killed", e);
        }
    }

    /** Not by the JDK's timer: all code in the JVM shares that one thread. */
    private static Timer after(Duration time, Runnable step) {
        return Reaper.after(Timeouts.saturatedNanos(time), () -> CallbackThreads.execute(step));
    }

    private static void cancel(@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }

    /** The listener is told later, without the lock, and after it was told of the change before. */
    private void enter(State next, Optional<WaitStatus> status, Optional<UmhException> failure) {
        lock.lock();
        try {
            state = next;
            changed.signalAll();
            Change change = new Change(next, restarts == null ? 0 : restarts.count(), status, failure);
            news.tell(() -> listener.accept(change));
        } finally {
            lock.unlock();
        }
    }

    /** Kills the driver and closes it; requests that are under way or wait fail. */
    @Override
    public void close() {
        Incarnation last;
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return;
            }
            enter(State.CLOSED, Optional.empty(), Optional.empty());
            last = current;
            cancel(restart);
            cancel(nextCheck);
        } finally {
            lock.unlock();
        }
        driver.close();
        if (last != null) {
            last.mailbox.fail(new IOException("the supervisor is closed"));
        }
    }
}
