// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * One thread that waits for the ends of all helpers, and for the outcomes of launches that nobody blocks for.
 *
 * <p>It runs as long as there is something to wait for and some seconds longer. It calls no code of the user's: it
 * completes futures whose dependents are our own and do not block.
 */
public final class Reaper {
    private static final int IDLE_MILLIS = 10_000;
    private static final int BATCH = 128;
    private static final int EXIT = Native.exit();

    private static final ConcurrentHashMap<Long, Child> CHILDREN = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong();
    private static final ConcurrentLinkedQueue<Runnable> TASKS = new ConcurrentLinkedQueue<>();
    private static boolean running;
    private static boolean permanent;

    private Reaper() {}

    /**
     * Watches a process that was started. From now on it is reaped as soon as it ends.
     *
     * @return the child; or null when the kernel refused the watch, and then the process has been killed and reaped
     */
    public static Child watch(Launch launch) {
        Child child = new Child(launch);
        long id = NEXT.getAndIncrement();
        CHILDREN.put(id, child);
        ensureRunning();
        if (child.watch(id) < 0) {
            CHILDREN.remove(id);
            discard(child);
            return null;
        }
        return child;
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
        TASKS.add(() -> result.complete(task.get()));
        ensureRunning();
        Native.wake();
        return result.join();
    }

    /** How many processes are watched now. */
    public static int live() {
        return CHILDREN.size();
    }

    static long token(long id, int event) {
        return id << 1 | event;
    }

    private static void discard(Child child) {
        child.signal(Native.sigkill());
        while (!child.failed() && !child.reap()) {
            child.decide();
            Thread.onSpinWait();
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

    /** A child is registered before ensureRunning() is called; so whoever comes second sees the other. */
    private static synchronized boolean stopIfIdle() {
        running = permanent || !CHILDREN.isEmpty();
        return !running;
    }

    private static void run() {
        long[] tokens = new long[BATCH];
        for (;;) {
            int count = Native.events(tokens, BATCH, IDLE_MILLIS);
            for (Runnable task = TASKS.poll(); task != null; task = TASKS.poll()) {
                task.run();
            }
            if (count == 0 && stopIfIdle()) {
                return;
            }
            for (int i = 0; i < count; i++) {
                handle(tokens[i] >> 1, (int) tokens[i] & 1);
            }
        }
    }

    private static void handle(long id, int event) {
        Child child = CHILDREN.get(id);
        if (child == null) {
            return; // the launch failed, and both of its events were under way
        }
        child.decide();
        if (child.failed() || (event == EXIT && child.reap())) {
            CHILDREN.remove(id);
        }
    }
}
