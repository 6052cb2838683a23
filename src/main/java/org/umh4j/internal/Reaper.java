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
 * One thread that waits for everything: the ends of helpers, the outcomes of launches that nobody blocks for, pipes
 * that somebody is parked at.
 *
 * <p>It runs as long as there is something to wait for and some seconds longer. It calls no code of the user's: it
 * completes futures whose dependents are our own and do not block, and leaves all else to the workers, also where there is
 * none yet. And it outlives a lack of memory: whoever could not be told for that is told again.
 */
public final class Reaper {
    private static final int IDLE_MILLIS = 10_000;
    /** The interval at which descriptors are checked that other code may have closed. */
    private static final int CHECK_MILLIS = 2_000;

    private static final int ESTALE = Native.estale();
    private static final int BATCH = 128;
    private static final int EVENT_BITS = 2;
    private static final int EVENT_MASK = (1 << EVENT_BITS) - 1;

    private static final int LOOK_MILLIS = Native.stopCheckMillis();
    /** The interval at which all watchers are called if no event can be waited for. */
    private static final int BLIND_MILLIS = 20;

    private static final int EXIT = Native.exit();
    /** The interval while there are launches: so no launch has to wake the reaper. */
    private static final int SOON_MILLIS = 10;

    private static final long BUSY_NANOS = 1_000_000_000L;

    private static final ConcurrentHashMap<Long, Watcher> WATCHERS = new ConcurrentHashMap<>();
    /** Of whom no event may tell: those whose outcome is awaited, and those that have ended and can't be reaped yet. */
    private static final Set<Watcher> LOOKED_AFTER = ConcurrentHashMap.newKeySet();

    private static final ConcurrentLinkedQueue<Runnable> TASKS = new ConcurrentLinkedQueue<>();
    /** What is the workers', as soon as there is one; the reaper's own. */
    private static final ArrayDeque<Runnable> LATER = new ArrayDeque<>();
    /** The timers, the earliest first. Guarded by this class. */
    private static final PriorityQueue<Timer> TIMERS = new PriorityQueue<>();

    private static final AtomicLong NEXT = new AtomicLong();
    /** Those that will have something watched, or something done, in a moment. */
    private static int holders;

    /** The time at which the reaper was last asked to decide a launch. */
    private static volatile long launched = System.nanoTime() - 2 * BUSY_NANOS;

    private static boolean running;

    // The reaper's own, made while there is memory.
    private static final long[] TOKENS = new long[BATCH];
    private static final Runnable LOOK_AFTER_SOME = Reaper::lookAfterSome;
    private static final Runnable DO_TASKS = Reaper::doTasks;
    private static final Runnable TELL_ALL = Reaper::tellAll;
    private static final Runnable CLOSE_DROPPED = Reaper::closeDropped;
    private static final Runnable RING = Reaper::ringTimers;
    private static final Runnable CHECK_SOME = Reaper::checkSome;
    private static long looked = System.nanoTime();
    private static long checked = looked;
    private static long busy = looked;
    private static boolean unwatched;

    static {
        pause(0); // what it does without memory was done once with it
    }

    private Reaper() {}

    /** Has the reaper check within some milliseconds a launch that no event may decide. */
    static void lookSoon() {
        long now = System.nanoTime();
        boolean sleeps = now - launched > BUSY_NANOS;
        launched = now;
        if (sleeps) {
            Native.epollWake();
        }
    }

    private static int pauseMillis() {
        if (System.nanoTime() - launched <= BUSY_NANOS) {
            return SOON_MILLIS;
        }
        return LOOKED_AFTER.isEmpty() && LATER.isEmpty() ? IDLE_MILLIS : LOOK_MILLIS;
    }

    /** A number by which a watcher is told; until it is forgotten the thread runs. */
    static long register(Watcher watcher) {
        long id = NEXT.getAndIncrement();
        WATCHERS.put(id, watcher);
        try {
            ensureRunning();
        } catch (OutOfMemoryError e) {
            WATCHERS.remove(id);
            throw e;
        }
        return id;
    }

    /** Has a child looked after in a moment. */
    static void lookAfter(Watcher watcher) {
        LOOKED_AFTER.add(watcher);
    }

    static void stopLookingAfter(Watcher watcher) {
        LOOKED_AFTER.remove(watcher);
    }

    static void forget(long id) {
        WATCHERS.remove(id);
    }

    /** Has the watcher told, once, when the event has come to the descriptor: 0 or a negative errno. */
    static int arm(int fd, int event, long id) {
        return Native.epollWatch(fd, event, id << EVENT_BITS | event);
    }

    /**
     * Does something short in the reaper's thread. The caller holds it: so this is the thread that will be there as long as
     * what it makes is watched.
     *
     * <p>For what the kernel ties to the thread that does it: the signal for a parent's death.
     */
    public static <T> T call(Supplier<T> task) {
        Call<T> call = new Call<>(task);
        TASKS.add(call);
        Native.epollWake();
        return call.answer();
    }

    /** Whatever becomes of it the caller is told, which takes no memory. */
    private static final class Call<T> implements Runnable {
        private final Supplier<T> task;
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        @SuppressWarnings("NullAway.Init") // unless it has thrown
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

        /** The reaper checks launches that are held. While a launch holds the reaper itself, this caller does. */
        T answer() {
            while (!StartDeadline.comes(done, LOOK_MILLIS * 1_000_000L)) {
                Native.checkLaunches();
            }
            if (thrown != null) {
                throw new CompletionException(thrown);
            }
            return value;
        }
    }

    /** A short task of the library that does not block, run by the reaper's thread at its time. */
    public static final class Timer implements Comparable<Timer> {
        private final long at;
        private final Runnable task;

        private Timer(long at, Runnable task) {
            this.at = at;
            this.task = task;
        }

        /** The task does not run any more, unless it has begun. */
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
     * Runs a task after a delay. The JDK's timer is not used: all code in the JVM shares its thread, and may block it.
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

    private static void ringTimers() {
        for (Timer timer = due(); timer != null; timer = due()) {
            guarded(timer.task);
        }
    }

    private static synchronized @Nullable Timer due() {
        Timer first = TIMERS.peek();
        return first == null || first.at - System.nanoTime() > 0 ? null : TIMERS.poll();
    }

    /** Loads this class. */
    static void load() {}

    /**
     * From now on there is a thread, the same one until {@link #release}; better asked before there is a process for it.
     *
     * @return false when none could be made
     */
    public static synchronized boolean hold() {
        try {
            ensureRunning();
        } catch (OutOfMemoryError e) {
            return false; // most often no memory, but no thread
        }
        holders++;
        return true;
    }

    /** What is watched by now keeps the thread. */
    public static synchronized void release() {
        holders--;
    }

    private static final class ReaperThread extends Thread implements CallbackThreads.Deferring {
        ReaperThread() {
            super(null, null, "umh4j-reaper", 0, false);
            setDaemon(true);
            setContextClassLoader(null);
        }

        @Override
        public void run() {
            Reaper.run();
        }

        @Override
        public void defer(Runnable task) {
            LATER.add(task);
        }
    }

    private static synchronized void ensureRunning() {
        if (running) {
            return;
        }
        new ReaperThread().start();
        running = true;
    }

    /** A watcher is registered before ensureRunning() is called; so whoever comes second sees the other. */
    private static synchronized boolean stopIfIdle() {
        running =
                holders > 0 || !WATCHERS.isEmpty() || !LOOKED_AFTER.isEmpty() || !LATER.isEmpty() || !TIMERS.isEmpty();
        return !running;
    }

    private static void run() {
        busy = System.nanoTime();
        for (; ; ) {
            int longest = pauseMillis();
            int count = Native.epollWait(TOKENS, BATCH, Math.min(longest, millisToTimer()));
            if (count == -ESTALE) {
                unwatched = true;
            } else if (count < 0) {
                pause(Math.min(BLIND_MILLIS, millisToTimer())); // a filter refuses epoll, or there are no descriptors
                guarded(TELL_ALL);
            }
            guarded(LOOK_AFTER_SOME);
            guarded(DO_TASKS);
            guarded(CLOSE_DROPPED);
            guarded(RING);
            guarded(CHECK_SOME);
            if (isIdle(count) && stopIfIdle()) {
                return;
            }
            for (int i = 0; i < count; i++) {
                while (!isTold(TOKENS[i])) {
                    pause(LOOK_MILLIS);
                }
            }
        }
    }

    /** Whether nothing has happened for long enough. */
    private static boolean isIdle(int count) {
        long now = System.nanoTime();
        if (count > 0) {
            busy = now;
        }
        return count <= 0 && now - busy >= IDLE_MILLIS * 1_000_000L;
    }

    /** Calls every watcher; each finds out by itself whether its event has happened. */
    private static void tellAll() {
        WATCHERS.values().forEach(watcher -> guarded(() -> watcher.happened(EXIT)));
    }

    /** Has each watcher check its descriptor; all at once if the epoll was made again and watches nothing. */
    private static void checkSome() {
        long now = System.nanoTime();
        if (unwatched || now - checked >= CHECK_MILLIS * 1_000_000L) {
            checked = now;
            for (Watcher watcher : WATCHERS.values()) {
                watcher.check(unwatched); // if memory lacks for one, all are called again
            }
            unwatched = false;
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

    /** False where there was no memory for it. An event comes once: without this one its watcher would never be told. */
    private static boolean isTold(long token) {
        try {
            Watcher watcher = WATCHERS.get(token >> EVENT_BITS);
            if (watcher != null) { // else it was forgotten while its event was under way
                watcher.happened((int) token & EVENT_MASK);
            }
        } catch (OutOfMemoryError e) {
            return false;
        } catch (Throwable e) {
            leftOut(e);
        }
        return true;
    }

    /** Now and then. */
    private static void lookAfterSome() {
        long now = System.nanoTime();
        if (now - looked >= Math.min(LOOK_MILLIS, pauseMillis()) * 1_000_000L) {
            looked = now;
            LOOKED_AFTER.forEach(watcher -> guarded(() -> lookAfterOne(watcher))); // who is left out has the next turn
            while (!LATER.isEmpty() && CallbackThreads.offer(LATER.peek())) {
                LATER.remove();
            }
        }
    }

    private static void lookAfterOne(Watcher watcher) {
        if (!watcher.lookAfter()) {
            LOOKED_AFTER.remove(watcher);
        }
    }

    /** A method of its own: that the other class can't be loaded must not be this thread's end either. */
    private static void closeDropped() {
        HeldDescriptor.closeDropped();
    }

    /** Out of memory for one must not be the end for all others. */
    private static void guarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            leftOut(e);
        }
    }

    /** A log handler may block, so a worker calls it. */
    private static void leftOut(Throwable reason) {
        try {
            CallbackThreads.offer(() -> System.getLogger("org.umh4j")
                    .log(System.Logger.Level.WARNING, "the reaper could not finish a task", reason));
        } catch (Throwable e) {
            // no memory for that either
        }
    }
}
