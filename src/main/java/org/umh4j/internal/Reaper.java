// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * One thread that waits for everything: the ends of helpers, the outcomes of launches that nobody blocks for, pipes
 * that somebody is parked at.
 *
 * <p>It runs as long as there is something to wait for and some seconds longer. It calls no code of the user's: it
 * completes futures whose dependents are our own and do not block.
 */
public final class Reaper {
    private static final int IDLE_MILLIS = 10_000;
    private static final int BATCH = 128;
    private static final int EVENT_BITS = 2;
    private static final int EVENT_MASK = (1 << EVENT_BITS) - 1;

    private static final int LOOK_MILLIS = Native.lookMillis();

    private static final ConcurrentHashMap<Long, Watcher> WATCHERS = new ConcurrentHashMap<>();
    /** Of whom no event may tell: those whose outcome is awaited, and those that have ended and can't be reaped yet. */
    private static final Set<Child> LOOKED_AFTER = ConcurrentHashMap.newKeySet();
    private static final ConcurrentLinkedQueue<Runnable> TASKS = new ConcurrentLinkedQueue<>();
    private static final AtomicLong NEXT = new AtomicLong();
    private static boolean running;
    private static boolean permanent;
    /** When it was last looked after some; the reaper's own. */
    private static long looked = System.nanoTime();

    private Reaper() {}

    /**
     * Watches a process that was started. From now on it is reaped as soon as it ends.
     *
     * @param keepsPidfd whether its group shall be told from a later one after its end too, until {@link Child#release}
     * @return the child; or null when the kernel refused the watch, and then the process has been killed and reaped
     */
    public static @Nullable Child watch(Launch launch, boolean keepsPidfd) {
        Child child = new Child(launch, keepsPidfd);
        if (!child.outcome().isDone()) {
            LOOKED_AFTER.add(child);
            child.outcome().thenRun(() -> LOOKED_AFTER.remove(child));
        }
        if (!isWatched(child)) {
            LOOKED_AFTER.remove(child);
            child.discard();
            return null;
        }
        return child;
    }

    private static boolean isWatched(Child child) {
        try {
            return child.watch(register(child)) == 0;
        } catch (OutOfMemoryError e) {
            return false; // most often no memory, but no thread
        }
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
    static void lookAfter(Child child) {
        LOOKED_AFTER.add(child);
    }

    static void forget(long id) {
        WATCHERS.remove(id);
    }

    /** Has the watcher told, once, when the event has come to the descriptor: 0 or a negative errno. */
    static int arm(int fd, int event, long id) {
        return Native.watch(fd, event, id << EVENT_BITS | event);
    }

    /**
     * Does something short in the reaper's thread, which from now on lives as long as the JVM.
     *
     * <p>For what the kernel ties to the thread that does it: the signal for a parent's death.
     */
    public static <T> T call(Supplier<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        synchronized (Reaper.class) {
            permanent = true;
        }
        TASKS.add(() -> {
            try {
                result.complete(task.get());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        ensureRunning();
        Native.wake();
        return result.join();
    }

    /** Has the class loaded. */
    public static void load() {}

    /** Whether there is a thread, or one could be made: better asked before there is a process for it. */
    public static boolean isReady() {
        try {
            ensureRunning();
            return true;
        } catch (OutOfMemoryError e) {
            return false;
        }
    }

    private static synchronized void ensureRunning() {
        if (running) {
            return;
        }
        Thread thread = new Thread(null, Reaper::run, "umh4j-reaper", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        running = true;
    }

    /** A watcher is registered before ensureRunning() is called; so whoever comes second sees the other. */
    private static synchronized boolean stopIfIdle() {
        running = permanent || !WATCHERS.isEmpty();
        return !running;
    }

    private static void run() {
        long[] tokens = new long[BATCH];
        for (;;) {
            int count = Native.events(tokens, BATCH, LOOKED_AFTER.isEmpty() ? IDLE_MILLIS : LOOK_MILLIS);
            if (count < 0) {
                LockSupport.parkNanos(LOOK_MILLIS * 1_000_000L); // somebody has closed our descriptors: no need to be fast
            }
            guarded(Reaper::lookAfterSome);
            for (Runnable task = TASKS.poll(); task != null; task = TASKS.poll()) {
                guarded(task);
            }
            guarded(Reaper::closeDropped);
            if (count == 0 && stopIfIdle()) {
                return;
            }
            for (int i = 0; i < count; i++) {
                Watcher watcher = WATCHERS.get(tokens[i] >> EVENT_BITS);
                if (watcher != null) { // else it was forgotten while its event was under way
                    int event = (int) tokens[i] & EVENT_MASK;
                    guarded(() -> watcher.happened(event));
                }
            }
        }
    }

    /** Now and then. */
    private static void lookAfterSome() {
        long now = System.nanoTime();
        if (now - looked >= LOOK_MILLIS * 1_000_000L) {
            looked = now;
            LOOKED_AFTER.forEach(child -> guarded(() -> lookAfterOne(child)));
        }
    }

    private static void lookAfterOne(Child child) {
        if (!child.lookAfter()) {
            LOOKED_AFTER.remove(child);
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
            System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, "the reaper left something out", e);
        }
    }
}
