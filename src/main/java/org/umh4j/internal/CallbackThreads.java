// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The threads that run callers' code: init and cleanup of {@code NO_WAIT} calls, listeners, and dependent stages of
 * exit futures. The reaper never runs such code, so a callback that blocks delays no exit notice.
 *
 * <p>Two threads share the work as long as they make progress. When a task has waited for a moment and neither thread
 * has taken another one, both count as blocked, and two more may run. So a callback that blocks costs a thread and
 * delays no other callback. There are two threads, and one more for each callback that blocks. A thread beyond two ends
 * as soon as it has nothing to do.
 *
 * <p>A monitor, and not a lock of java.util.concurrent: waiting for one takes no memory, which may be what is lacking.
 */
public final class CallbackThreads {
    private static final int USUAL = 2;
    private static final int IDLE_MILLIS = 10_000;
    /** The wait of the first task in the queue after which the threads count as blocked. */
    private static final int PATIENCE_MILLIS = 20;
    /** The same when some threads are blocked already. */
    private static final int IMPATIENCE_MILLIS = 5;

    private static final Object LOCK = new Object();

    // All of these are guarded by LOCK.
    private static final ArrayDeque<Runnable> QUEUE = new ArrayDeque<>();
    private static final List<Worker> THREADS = new ArrayList<>();
    /** The number of threads that run a task; all others wait for one. */
    private static int running;
    /** The number of running threads that count as blocked. */
    private static int blocked;
    /** The number of tasks taken so far: while it grows, the threads make progress. */
    private static long taken;

    private CallbackThreads() {}

    /** A thread that runs no callback. It offers a callback again when there may be a thread for it. */
    interface Deferring {
        void defer(Runnable task);
    }

    /** For the dependents of futures, which take their failures themselves. */
    public static Executor executor() {
        return CallbackThreads::execute;
    }

    /**
     * Runs the task soon; what it throws is logged, since nobody can catch it.
     *
     * @return false if there is no thread for it and none can be made
     */
    public static boolean offer(Runnable task) {
        synchronized (LOCK) {
            if (!ensureIdle() && THREADS.isEmpty()) {
                return false;
            }
            try {
                QUEUE.add(task);
            } catch (OutOfMemoryError e) {
                return false;
            }
            LOCK.notify();
            return true;
        }
    }

    /** Ensures that a thread waits for a task; false when none can be created. Requires the lock. */
    private static boolean ensureIdle() {
        if (THREADS.size() > running) {
            return true;
        }
        try {
            Worker made = new Worker();
            THREADS.add(made);
            made.start();
            return true;
        } catch (OutOfMemoryError e) { // most often no memory, but no further thread
            THREADS.removeIf(thread -> thread.getState() == Thread.State.NEW);
            return false;
        }
    }

    /** The same; where there is no thread it is run here and now, but in the reaper, which waits until there is one. */
    public static void execute(Runnable task) {
        if (offer(task)) {
            return;
        }
        if (Thread.currentThread() instanceof Deferring current) {
            current.defer(task);
        } else {
            logged(task);
        }
    }

    /** Runs the task; what it throws is logged. */
    public static void logged(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            log("a callback failed", e);
        }
    }

    /** A log handler that throws, or lacks memory, does not end a worker. */
    private static void log(String message, Throwable reason) {
        try {
            System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, message, reason);
        } catch (Throwable e) {
            // there is nowhere else to report it
        }
    }

    /** One of the threads. */
    private static final class Worker extends Thread {
        private boolean isRunning;
        private boolean isBlocked;

        Worker() {
            super(null, null, "umh4j-worker", 0, false);
            setDaemon(true);
        }

        @Override
        public void run() {
            for (Runnable task = next(); task != null; task = next()) {
                setContextClassLoader(ClassLoader.getSystemClassLoader()); // not that of the first caller
                logged(task);
                Thread.interrupted(); // a callback may leave it set, and the next callback is other code's
            }
        }

        /** The next task; null when this thread is not needed any longer. */
        private @Nullable Runnable next() {
            synchronized (LOCK) {
                end();
                while (!mayRun()) {
                    if (!QUEUE.isEmpty()) {
                        waitForProgress();
                    } else if (THREADS.size() - blocked > USUAL || !waitForTask()) {
                        THREADS.remove(this);
                        return null;
                    }
                }
                return begin();
            }
        }

        private Runnable begin() {
            isRunning = true;
            running++;
            taken++;
            Runnable task = QUEUE.remove();
            if (!QUEUE.isEmpty()) {
                ensureIdle(); // that thread monitors whether the others make progress
                LOCK.notify();
            }
            return task;
        }

        private void end() {
            running -= isRunning ? 1 : 0;
            blocked -= isBlocked ? 1 : 0;
            isRunning = false;
            isBlocked = false;
        }

        private static boolean mayRun() {
            return !QUEUE.isEmpty() && running - blocked < USUAL;
        }

        /** Whether a task came before the time was over. */
        private static boolean waitForTask() {
            long begin = System.nanoTime();
            for (long left = IDLE_MILLIS; left > 0 && QUEUE.isEmpty(); left = IDLE_MILLIS - millisSince(begin)) {
                pause(left);
            }
            return !QUEUE.isEmpty();
        }

        /** Two run and others wait: if no task was taken for a while, the running threads count as blocked. */
        private static void waitForProgress() {
            long before = taken;
            long begin = System.nanoTime();
            int patience = blocked == 0 ? PATIENCE_MILLIS : IMPATIENCE_MILLIS;
            for (long left = patience; left > 0; left = patience - millisSince(begin)) {
                pause(left);
                if (taken != before || QUEUE.isEmpty() || mayRun()) {
                    return;
                }
            }
            for (Worker worker : THREADS) {
                worker.isBlocked = worker.isRunning;
            }
            blocked = running;
        }

        private static long millisSince(long begin) {
            return (System.nanoTime() - begin) / 1_000_000L;
        }

        @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
        private static void pause(long millis) {
            try {
                LOCK.wait(millis);
            } catch (InterruptedException e) {
                // a callback may have leaked a reference to this thread; an interrupt means nothing here
            }
        }
    }
}
