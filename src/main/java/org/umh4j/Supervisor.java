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
 * Keeps a driver running: forks it, checks its health by periodic requests, and forks it again when it has ended.
 *
 * <pre>{@code
 * try (Supervisor supervisor = Supervisor.of(driver, 64 << 10)   // messages of up to 64 KiB
 *         .backoff(Duration.ofMillis(100), Duration.ofSeconds(10))
 *         .restartLimit(5, Duration.ofMinutes(1))
 *         .healthCheck(ping, Duration.ofSeconds(5), Duration.ofSeconds(1))
 *         .listener(change -> log(change))
 *         .start()) {
 *     byte[] reply = supervisor.request(message, Duration.ofSeconds(2));
 * }
 * }</pre>
 *
 * <p>Requests go through a {@link Mailbox}. A request that is pending when the driver ends fails. It is not sent
 * again, since only the caller knows whether a repetition is safe. A request that is made during a restart waits for
 * the driver until its timeout. A driver that does not reply to the health check in time, closes a pipe or sends an
 * invalid message is killed and restarted.
 *
 * <p>The settings can be changed until {@link #start}; after that their methods throw an {@link IllegalStateException}.
 * A supervisor needs no separate thread: it uses the library's threads for callbacks.
 */
public final class Supervisor implements AutoCloseable {
    /** The state of the driver. */
    public enum State {
        /** The driver is being forked. */
        STARTING,
        /** The driver runs. */
        RUNNING,
        /** The driver has ended, and will be forked again after a pause. */
        BACKING_OFF,
        /** The driver has ended more often than the restart limit allows. It is not forked again. */
        GIVEN_UP,
        /** The supervisor was closed. */
        CLOSED
    }

    /**
     * A change of the state.
     *
     * @param state the new state
     * @param restarts the number of restarts within the window of {@link Supervisor#restartLimit}
     * @param status the exit status of the process, if its end is the reason of the change
     * @param failure the failure of the fork, if it is the reason of the change. An unchecked exception of the
     *     driver's init function is logged instead
     */
    public record StateChange(State state, int restarts, Optional<WaitStatus> status, Optional<UmhException> failure) {
        /** Requires that no component is null. */
        public StateChange {
            Objects.requireNonNull(state, "state");
            Objects.requireNonNull(status, "status");
            Objects.requireNonNull(failure, "failure");
        }
    }

    private record HealthCheck(byte[] request, Duration period, Duration timeout) {}

    /** One process of the driver. */
    private record Instance(Helper process, Mailbox mailbox) {}

    private final UsermodeDriver driver;
    private final int maxContentBytes;
    private Duration firstPause = RestartBackoff.DEFAULT_FIRST_PAUSE;
    private Duration longestPause = RestartBackoff.DEFAULT_LONGEST_PAUSE;
    private int maxRestarts = RestartBackoff.DEFAULT_LIMIT;
    private Duration window = RestartBackoff.DEFAULT_WINDOW;
    private @Nullable HealthCheck healthCheck;
    private Consumer<StateChange> listener = change -> {};

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable RestartBackoff backoff;
    private @Nullable State state;
    private @Nullable Instance current;
    private @Nullable Timer nextRestart;
    private @Nullable Timer nextCheck;

    private final ListenerExecutor notifications = new ListenerExecutor();

    private Supervisor(UsermodeDriver driver, int maxContentBytes) {
        this.driver = driver;
        this.maxContentBytes = maxContentBytes;
    }

    /**
     * Creates a supervisor for a driver that is loaded and does not run. The supervisor owns the driver and closes it.
     * A driver that is not loaded or runs makes {@link #start} fail at {@link org.umh4j.linux.UmhStage#BLOB} with
     * {@code EINVAL} or {@code EBUSY}, and closes it, which kills it.
     *
     * @param maxContentBytes the largest content of a message, as in {@link Mailbox#of(UsermodeDriver, int)}
     */
    public static Supervisor of(UsermodeDriver driver, int maxContentBytes) {
        return new Supervisor(Objects.requireNonNull(driver, "driver"), maxContentBytes);
    }

    /**
     * Sets the pauses before restarts. Each pause is twice the one before, up to the longest. The default is 100 ms
     * and 10 s.
     */
    public Supervisor backoff(Duration first, Duration longest) {
        requireNotStarted();
        Duration checked = Timeouts.requirePositive(first, "first");
        longestPause = Timeouts.requirePositive(longest, "longest");
        firstPause = checked;
        return this;
    }

    /**
     * Sets the number of restarts within a time. If the driver ends again after that number, it is not restarted any
     * more. The default is 5 restarts within a minute.
     */
    public Supervisor restartLimit(int restarts, Duration within) {
        requireNotStarted();
        if (restarts < 0) {
            throw new IllegalArgumentException("restarts " + restarts + " is negative");
        }
        window = Timeouts.requirePositive(within, "within");
        maxRestarts = restarts;
        return this;
    }

    /**
     * Sets a request that is sent to the running driver periodically. Any reply within the timeout passes the check.
     * By default there is no check.
     */
    public Supervisor healthCheck(byte[] request, Duration period, Duration timeout) {
        requireNotStarted();
        if (Objects.requireNonNull(request, "request").length > maxContentBytes) {
            throw new IllegalArgumentException(
                    "the request has " + request.length + " bytes; the limit is " + maxContentBytes);
        }
        healthCheck = new HealthCheck(
                request.clone(),
                Timeouts.requirePositive(period, "period"),
                Timeouts.requirePositive(timeout, "timeout"));
        return this;
    }

    /**
     * Sets a function that is notified of every change of state, in order and one at a time, in a thread of the
     * library. An exception of the function is logged, and the next change is notified.
     */
    public Supervisor listener(Consumer<StateChange> function) {
        requireNotStarted();
        listener = Objects.requireNonNull(function, "function");
        return this;
    }

    private void requireNotStarted() {
        if (state() != null) {
            throw new IllegalStateException("the supervisor was started already");
        }
    }

    /**
     * Forks the driver for the first time and returns when it runs.
     *
     * @return this supervisor
     * @throws UmhException if the fork fails. It is not tried again, and the driver is closed
     * @throws IllegalStateException if the supervisor was started or closed before
     * @throws IllegalArgumentException if the largest content is out of range; the driver is closed
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
            backoff = new RestartBackoff(firstPause, longestPause, maxRestarts, window);
            enter(State.STARTING, Optional.empty(), Optional.empty());
        } finally {
            lock.unlock();
        }
    }

    /** Returns the state of the driver; null before {@link #start}. */
    public @Nullable State state() {
        lock.lock();
        try {
            return state;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends a request and waits for its reply. If the driver is being restarted, waits for the restart first.
     *
     * @param message the content of the request, as in {@link Mailbox#request}
     * @return the content of the reply
     * @throws TimeoutException if no reply arrives within the timeout
     * @throws IOException if the driver ends before its reply, or will not be restarted; also before {@link #start}
     * @throws IllegalArgumentException if the content is larger than the limit
     * @throws InterruptedException if the caller is interrupted
     */
    public byte[] request(byte[] message, Duration timeout) throws IOException, InterruptedException, TimeoutException {
        Objects.requireNonNull(message, "message");
        long nanos = Timeouts.saturatedNanos(timeout);
        long begin = System.nanoTime();
        for (; ; ) {
            Mailbox mailbox = runningMailbox(Duration.ofNanos(nanos - (System.nanoTime() - begin)));
            try {
                return mailbox.request(message, Duration.ofNanos(nanos - (System.nanoTime() - begin)));
            } catch (Mailbox.NotSentException e) {
                // the driver has just ended: wait for its restart
            }
        }
    }

    /** Waits until the driver runs and its mailbox is open. */
    private Mailbox runningMailbox(Duration timeout) throws IOException, InterruptedException, TimeoutException {
        long remaining = Timeouts.saturatedNanos(timeout);
        lock.lock();
        try {
            while (state != State.RUNNING
                    || current == null
                    || current.mailbox.onClose().isDone()) {
                if (state == null || state == State.GIVEN_UP || state == State.CLOSED) {
                    throw new IOException(
                            "driver " + driver.name() + " is not running; the state of its supervisor is " + state);
                }
                if (remaining <= 0) {
                    throw new TimeoutException("driver " + driver.name() + " did not run within " + timeout);
                }
                remaining = changed.awaitNanos(remaining);
            }
            return current.mailbox;
        } finally {
            lock.unlock();
        }
    }

    /** Forks the driver. It runs when this method returns, unless the supervisor was closed meanwhile. */
    private void fork() throws UmhException {
        driver.fork();
        Instance instance = openMailbox();
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return; // close() has closed the driver
            }
            current = instance;
            enter(State.RUNNING, Optional.empty(), Optional.empty());
        } finally {
            lock.unlock();
        }
        // Without its mailbox the process is of no use.
        instance.mailbox.onClose().thenRunAsync(() -> kill(instance), CallbackThreads.executor());
        // Registered here, so that the listener is notified of RUNNING before the exit.
        instance.process.onExit().thenAccept(status -> ended(instance, status));
        checkLater(instance);
    }

    /** Opens a mailbox to the forked process, or kills the process, which would block the next fork. */
    private Instance openMailbox() {
        Helper process = driver.process();
        try {
            return new Instance(process, Mailbox.of(driver, maxContentBytes));
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
        } catch (RuntimeException | Error e) { // thrown by the driver's init function, or no memory
            System.getLogger("org.umh4j")
                    .log(System.Logger.Level.WARNING, "driver " + driver.name() + " could not be forked", e);
            restartLater(Optional.empty(), Optional.empty());
        }
    }

    /** Fails the pending requests before the listener is notified. */
    private void ended(Instance instance, WaitStatus status) {
        instance.mailbox.fail(new IOException("driver " + driver.name() + " has ended: " + status));
        restartLater(Optional.of(status), Optional.empty());
    }

    private void restartLater(Optional<WaitStatus> status, Optional<UmhException> failure) {
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return;
            }
            Optional<Duration> pause = Objects.requireNonNull(backoff).after(System.nanoTime());
            enter(pause.isPresent() ? State.BACKING_OFF : State.GIVEN_UP, status, failure);
            nextRestart = pause.isEmpty() ? null : after(pause.get(), this::forkAgain);
        } finally {
            lock.unlock();
        }
    }

    /** Schedules the next health check. Each process has a separate series of checks, which ends with the process. */
    private void checkLater(Instance instance) {
        HealthCheck check = healthCheck;
        if (check == null) {
            return;
        }
        lock.lock();
        try {
            if (state != State.CLOSED) {
                nextCheck = after(check.period, () -> check(instance, check));
            }
        } finally {
            lock.unlock();
        }
    }

    private void check(Instance instance, HealthCheck check) {
        try {
            CompletableFuture<byte[]> reply = instance.mailbox.requestInternally(check.request);
            Timer deadline = Reaper.after(
                    Timeouts.saturatedNanos(check.timeout),
                    () -> reply.completeExceptionally(new TimeoutException("no reply to the health check")));
            reply.whenComplete((bytes, failure) -> deadline.cancel());
            reply.whenCompleteAsync((bytes, failure) -> checked(instance, failure), CallbackThreads.executor());
        } catch (IOException e) {
            // the mailbox is closed, so the process is being killed
        }
    }

    private void checked(Instance instance, @Nullable Throwable failure) {
        if (failure == null) {
            checkLater(instance);
        } else {
            kill(instance);
        }
    }

    /** Kills this process and never a later process of the driver. */
    private static void kill(Instance instance) {
        try {
            instance.process.kill(Signal.KILL);
        } catch (UmhException e) {
            System.getLogger("org.umh4j")
                    .log(System.Logger.Level.WARNING, "a driver that does not reply could not be killed", e);
        }
    }

    /** Runs an action later. The JDK's timer is not used, since all code in the JVM shares its thread. */
    private static Timer after(Duration delay, Runnable action) {
        return Reaper.after(Timeouts.saturatedNanos(delay), () -> CallbackThreads.execute(action));
    }

    private static void cancel(@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }

    /** Changes the state. The listener is notified later, without the lock, in the order of the changes. */
    private void enter(State next, Optional<WaitStatus> status, Optional<UmhException> failure) {
        lock.lock();
        try {
            state = next;
            changed.signalAll();
            StateChange change = new StateChange(next, backoff == null ? 0 : backoff.count(), status, failure);
            notifications.execute(() -> listener.accept(change));
        } finally {
            lock.unlock();
        }
    }

    /** Kills and closes the driver. Pending and waiting requests fail. */
    @Override
    public void close() {
        Instance last;
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return;
            }
            enter(State.CLOSED, Optional.empty(), Optional.empty());
            last = current;
            cancel(nextRestart);
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
