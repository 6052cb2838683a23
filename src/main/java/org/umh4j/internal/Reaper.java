// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The thread that waits by {@code epoll(7)} for all helpers: for their ends, for outcomes of launches without a blocked
 * caller, and for pipes at which threads are parked.
 *
 * <p>The thread runs as long as there is something to wait for, and some seconds longer. It never calls a user's code.
 * It completes futures whose dependents belong to the library and do not block, and passes all other work to
 * {@link CallbackThreads}, as soon as such a thread exists. It survives a lack of memory: a handler that could not be
 * called for that reason is called again.
 */
public final class Reaper {
    private static final int IDLE_MILLIS = 10_000;
    /** The interval at which handlers check whether other code has closed their descriptors. */
    private static final int CHECK_MILLIS = 2_000;

    private static final int ESTALE = Native.estale();
    private static final int BATCH = 128;
    private static final int EVENT_BITS = 2;
    private static final int EVENT_MASK = (1 << EVENT_BITS) - 1;

    private static final int POLL_MILLIS = Native.stopCheckMillis();
    /** The interval at which all handlers are called if epoll can't be used. */
    private static final int NO_EPOLL_MILLIS = 20;

    private static final int EXIT = Native.exit();
    /** The interval during and shortly after launches, so that most launches do not have to wake the reaper. */
    private static final int LAUNCH_POLL_MILLIS = 10;

    private static final long LAUNCH_POLL_NANOS = 1_000_000_000L;

    private static final ConcurrentHashMap<Long, EventHandler> HANDLERS = new ConcurrentHashMap<>();
    /**
     * Children that may get no event: those with an unknown outcome, and those that have ended but can't be reaped yet.
     */
    private static final Set<EventHandler> POLLED = ConcurrentHashMap.newKeySet();

    private static final ConcurrentLinkedQueue<Runnable> TASKS = new ConcurrentLinkedQueue<>();
    /** Tasks that wait for a callback thread. Used by the reaper's thread alone. */
    private static final ArrayDeque<Runnable> DEFERRED = new ArrayDeque<>();
    /** The timers, the earliest first. Guarded by this class. */
    private static final PriorityQueue<Timer> TIMERS = new PriorityQueue<>();

    private static final AtomicLong NEXT_ID = new AtomicLong();
    /** The number of callers of {@link #holdThread}. */
    private static int holders;

    /** The time of the last launch whose outcome the reaper has to find out. */
    private static volatile long lastLaunch = System.nanoTime() - 2 * LAUNCH_POLL_NANOS;

    private static boolean running;

    // Used by the reaper's thread alone. Allocated at the start, when there is memory.
    private static final long[] TOKENS = new long[BATCH];
    private static final Runnable POLL_HANDLERS = Reaper::pollHandlers;
    private static final Runnable DO_TASKS = Reaper::doTasks;
    private static final Runnable CALL_ALL_HANDLERS = Reaper::callAllHandlers;
    private static final Runnable CLOSE_UNREACHABLE = Reaper::closeUnreachable;
    private static final Runnable RUN_TIMERS = Reaper::runTimers;
    private static final Runnable CHECK_DESCRIPTORS = Reaper::checkDescriptors;
    private static long lastPoll = System.nanoTime();
    private static long lastCheck = lastPoll;
    private static long lastEvent = lastPoll;
    private static boolean isNewEpoll;

    static {
        pause(0); // loads what the reaper needs later, perhaps without memory
    }

    private Reaper() {}

    /** Has the reaper poll a launch within some milliseconds, since its outcome may cause no event. */
    static void pollLaunchSoon() {
        long now = System.nanoTime();
        boolean isAsleep = now - lastLaunch > LAUNCH_POLL_NANOS;
        lastLaunch = now;
        if (isAsleep) {
            Native.epollWake();
        }
    }

    private static int pauseMillis() {
        if (System.nanoTime() - lastLaunch <= LAUNCH_POLL_NANOS) {
            return LAUNCH_POLL_MILLIS;
        }
        return POLLED.isEmpty() && DEFERRED.isEmpty() ? IDLE_MILLIS : POLL_MILLIS;
    }

    /** Registers a handler and returns its id. The thread runs until {@link #forget}. */
    static long register(EventHandler handler) {
        long id = NEXT_ID.getAndIncrement();
        HANDLERS.put(id, handler);
        try {
            ensureRunning();
        } catch (OutOfMemoryError e) {
            HANDLERS.remove(id);
            throw e;
        }
        return id;
    }

    /** Has a handler polled from now on, until {@link EventHandler#poll} returns false. */
    static void startPolling(EventHandler handler) {
        POLLED.add(handler);
    }

    static void stopPolling(EventHandler handler) {
        POLLED.remove(handler);
    }

    static void forget(long id) {
        HANDLERS.remove(id);
    }

    /** Has the handler called once, at the next event of the descriptor. Returns 0 or a negative errno. */
    static int arm(int fd, int event, long id) {
        return Native.epollWatch(fd, event, id << EVENT_BITS | event);
    }

    /**
     * Runs a short task in the reaper's thread, and returns its result. The caller has called {@link #holdThread}, so
     * the same thread lives as long as the task's process is watched.
     *
     * <p>The kernel sends a parent death signal at the end of the thread that has created the process.
     */
    public static <T> T call(Supplier<T> task) {
        Call<T> call = new Call<>(task);
        TASKS.add(call);
        Native.epollWake();
        return call.await();
    }

    /** A task of {@link #call}. Its caller gets a result even if memory is lacking. */
    private static final class Call<T> implements Runnable {
        private final Supplier<T> task;
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        @SuppressWarnings("NullAway.Init") // set unless the task has thrown
        private T value;

        private @Nullable Throwable thrown;

        Call(Supplier<T> task) {
            this.task = task;
        }

        @Override
        public void run() {
            try {
                value = task.get();
            } catch (Throwable e) {
                thrown = e;
            }
            done.complete(null);
        }

        /**
         * Waits for the result. Meanwhile it does the reaper's check of launches that block, since one may block the
         * reaper.
         */
        T await() {
            while (!StartDeadline.completesWithin(done, POLL_MILLIS * 1_000_000L)) {
                Native.checkLaunches();
            }
            if (thrown != null) {
                throw new CompletionException(thrown);
            }
            return value;
        }
    }

    /** A short task of the library that does not block, with the time at which the reaper's thread runs it. */
    public static final class Timer implements Comparable<Timer> {
        private final long at;
        private final Runnable task;

        private Timer(long at, Runnable task) {
            this.at = at;
            this.task = task;
        }

        /** Cancels the task, unless it has begun. */
        public void cancel() {
            forget(this);
        }

        @Override
        public int compareTo(Timer other) {
            return Long.signum(at - other.at);
        }
    }

    private static synchronized void forget(Timer timer) {
        TIMERS.remove(timer);
    }

    /**
     * Runs a task after a delay. The timer of CompletableFuture is not used: other code in the JVM shares its thread,
     * and may block it.
     */
    public static Timer after(long nanos, Runnable task) {
        Timer timer = new Timer(System.nanoTime() + Math.min(nanos, Long.MAX_VALUE / 2), task);
        synchronized (Reaper.class) {
            TIMERS.add(timer);
            try {
                ensureRunning();
            } catch (OutOfMemoryError e) {
                TIMERS.remove(timer);
                throw e;
            }
        }
        Native.epollWake();
        return timer;
    }

    private static synchronized int millisToTimer() {
        Timer first = TIMERS.peek();
        return first == null
                ? IDLE_MILLIS
                : (int) Math.max(0, Math.min((first.at - System.nanoTime()) / 1_000_000L + 1, IDLE_MILLIS));
    }

    private static void runTimers() {
        for (Timer timer = pollDueTimer(); timer != null; timer = pollDueTimer()) {
            runGuarded(timer.task);
        }
    }

    private static synchronized @Nullable Timer pollDueTimer() {
        Timer first = TIMERS.peek();
        return first == null || first.at - System.nanoTime() > 0 ? null : TIMERS.poll();
    }

    /** Loads this class and the one of its thread. */
    static void load() {
        ReaperThread.load();
    }

    /**
     * Ensures that the thread runs, and that it is the same one until {@link #releaseThread}. Called before a process
     * is created.
     *
     * @return false if no thread can be created
     */
    public static synchronized boolean holdThread() {
        try {
            ensureRunning();
        } catch (OutOfMemoryError e) {
            return false; // usually a limit of threads
        }
        holders++;
        return true;
    }

    /** Ends {@link #holdThread}. The thread still runs as long as something is watched. */
    public static synchronized void releaseThread() {
        holders--;
    }

    private static final class ReaperThread extends Thread implements CallbackThreads.Deferring {
        ReaperThread() {
            super(null, null, "umh4j-reaper", 0, false);
            setDaemon(true);
            setContextClassLoader(null);
        }

        static void load() {}

        @Override
        public void run() {
            Reaper.run();
        }

        @Override
        public void defer(Runnable task) {
            DEFERRED.add(task);
        }
    }

    private static synchronized void ensureRunning() {
        if (running) {
            return;
        }
        new ReaperThread().start();
        running = true;
    }

    /**
     * A handler is registered before ensureRunning() is called. So either this method sees it, or a new thread starts.
     */
    private static synchronized boolean stopIfIdle() {
        running = holders > 0 || !HANDLERS.isEmpty() || !POLLED.isEmpty() || !DEFERRED.isEmpty() || !TIMERS.isEmpty();
        return !running;
    }

    private static void run() {
        lastEvent = System.nanoTime();
        for (; ; ) {
            int longest = pauseMillis();
            int count = Native.epollWait(TOKENS, BATCH, Math.min(longest, millisToTimer()));
            if (count == -ESTALE) {
                isNewEpoll = true;
            } else if (count < 0) {
                pause(Math.min(
                        NO_EPOLL_MILLIS, millisToTimer())); // a filter refuses epoll, or there are no descriptors
                runGuarded(CALL_ALL_HANDLERS);
            }
            runGuarded(POLL_HANDLERS);
            runGuarded(DO_TASKS);
            runGuarded(CLOSE_UNREACHABLE);
            runGuarded(RUN_TIMERS);
            runGuarded(CHECK_DESCRIPTORS);
            if (isIdle(count) && stopIfIdle()) {
                return;
            }
            for (int i = 0; i < count; i++) {
                while (!isDelivered(TOKENS[i])) {
                    pause(POLL_MILLIS);
                }
            }
        }
    }

    /** Returns whether the last event was long ago. */
    private static boolean isIdle(int count) {
        long now = System.nanoTime();
        if (count > 0) {
            lastEvent = now;
        }
        return count <= 0 && now - lastEvent >= IDLE_MILLIS * 1_000_000L;
    }

    /** Calls every handler, without an event. Each of them checks its descriptor. */
    private static void callAllHandlers() {
        HANDLERS.values().forEach(handler -> runGuarded(() -> handler.onEvent(EXIT)));
    }

    /** Has each handler check its descriptor: from time to time, and at once if the epoll descriptor is new. */
    private static void checkDescriptors() {
        long now = System.nanoTime();
        if (isNewEpoll || now - lastCheck >= CHECK_MILLIS * 1_000_000L) {
            lastCheck = now;
            for (EventHandler handler : HANDLERS.values()) {
                handler.check(isNewEpoll); // after a lack of memory all are called again
            }
            isNewEpoll = false;
        }
    }

    private static void pause(int millis) {
        LockSupport.parkNanos(millis * 1_000_000L);
    }

    private static void doTasks() {
        for (Runnable task = TASKS.poll(); task != null; task = TASKS.poll()) {
            task.run();
        }
    }

    /**
     * Calls the handler of an event. Returns false if memory is lacking: the event does not come again, so it is
     * repeated.
     */
    private static boolean isDelivered(long token) {
        try {
            EventHandler handler = HANDLERS.get(token >> EVENT_BITS);
            if (handler != null) { // else it was forgotten after its event
                handler.onEvent((int) token & EVENT_MASK);
            }
        } catch (OutOfMemoryError e) {
            return false;
        } catch (Throwable e) {
            logFailure(e);
        }
        return true;
    }

    /** Polls children and passes deferred tasks to callback threads, if the last time was long enough ago. */
    private static void pollHandlers() {
        long now = System.nanoTime();
        if (now - lastPoll >= Math.min(POLL_MILLIS, pauseMillis()) * 1_000_000L) {
            lastPoll = now;
            POLLED.forEach(handler -> runGuarded(() -> pollOne(handler))); // who is left out has the next turn
            while (!DEFERRED.isEmpty() && CallbackThreads.offer(DEFERRED.peek())) {
                DEFERRED.remove();
            }
        }
    }

    private static void pollOne(EventHandler handler) {
        if (!handler.poll()) {
            POLLED.remove(handler);
        }
    }

    /** A separate method: if the other class can't be loaded, the exception is caught like every other. */
    private static void closeUnreachable() {
        OwnedDescriptor.closeUnreachable();
    }

    /** Runs a step. Its exception, such as a lack of memory, does not end the thread. */
    private static void runGuarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            logFailure(e);
        }
    }

    /** Logs in a callback thread, since a log handler may block. */
    private static void logFailure(Throwable reason) {
        try {
            CallbackThreads.offer(() -> System.getLogger("org.umh4j")
                    .log(System.Logger.Level.WARNING, "the reaper could not finish a task", reason));
        } catch (Throwable e) {
            // no memory for the log either
        }
    }
}
