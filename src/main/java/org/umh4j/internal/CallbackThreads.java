// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The threads that run users' code: init and cleanup of {@code NO_WAIT} calls, listeners, and dependents of exit
 * futures. The reaper never runs such code, so a blocked callback delays no exit notice.
 *
 * <p>Two threads share the work while they make progress. If a task has waited for a moment and neither thread has
 * started another one, both count as blocked, and two more threads may run. So a blocked callback costs a thread, but
 * delays no other callback. A thread beyond two ends as soon as it has nothing to do.
 *
 * <p>The lock is a monitor, since waiting for a lock of java.util.concurrent allocates memory, which may be lacking.
 */
public final class CallbackThreads {
    private static final int BASE_THREADS = 2;
    private static final int IDLE_MILLIS = 10_000;
    /** The time after which the threads count as blocked, if a task waits and none is started. */
    private static final int PROGRESS_MILLIS = 20;
    /** The same time if other threads are blocked already. */
    private static final int SHORT_PROGRESS_MILLIS = 5;

    private static final Object LOCK = new Object();

    // LOCK guards all of these.
    private static final ArrayDeque<Runnable> QUEUE = new ArrayDeque<>();
    private static final List<Worker> THREADS = new ArrayList<>();
    /** The number of threads that run a task. The others wait for one. */
    private static int running;
    /** The number of running threads that count as blocked. */
    private static int blocked;
    /** The number of tasks that have been started. While it grows, the threads make progress. */
    private static long startedTasks;

    private CallbackThreads() {}

    /** A thread that runs no callback. It offers a callback again when there may be a thread for it. */
    interface Deferring {
        void defer(Runnable task);
    }

    /** Returns an executor for dependents of futures. The futures get the exceptions of their dependents. */
    public static Executor executor() {
        return CallbackThreads::execute;
    }

    /**
     * Runs the task soon, and logs an exception of it.
     *
     * @return false if there is no thread and none can be created
     */
    public static boolean offer(Runnable task) {
        synchronized (LOCK) {
            if (!ensureIdleThread() && THREADS.isEmpty()) {
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

    /** Ensures that a thread waits for a task. Returns false if none can be created. Requires the lock. */
    private static boolean ensureIdleThread() {
        if (THREADS.size() > running) {
            return true;
        }
        try {
            Worker worker = new Worker();
            THREADS.add(worker);
            worker.start();
            return true;
        } catch (OutOfMemoryError e) { // usually a limit of threads
            THREADS.removeIf(thread -> thread.getState() == Thread.State.NEW);
            return false;
        }
    }

    /**
     * Runs the task as {@link #offer}. Without a thread the caller runs it; the reaper defers it until there is a
     * thread.
     */
    public static void execute(Runnable task) {
        if (offer(task)) {
            return;
        }
        if (Thread.currentThread() instanceof Deferring current) {
            current.defer(task);
        } else {
            runAndLog(task);
        }
    }

    /** Runs the task in the current thread, and logs an exception of it. */
    public static void runAndLog(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            log("a callback failed", e);
        }
    }

    /** Logs an exception. An exception of the log handler is ignored, so that it does not end the thread. */
    private static void log(String message, Throwable reason) {
        try {
            System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, message, reason);
        } catch (Throwable e) {
            // it can't be reported anywhere else
        }
    }

    /** One thread. */
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
                setContextClassLoader(
                        ClassLoader.getSystemClassLoader()); // not that of the creating thread or an earlier callback
                runAndLog(task);
                Thread.interrupted(); // clears a flag that the callback has left set
            }
        }

        /** Returns the next task, or null if this thread is no longer needed. */
        private @Nullable Runnable next() {
            synchronized (LOCK) {
                end();
                while (!mayRun()) {
                    if (!QUEUE.isEmpty()) {
                        waitForProgress();
                    } else if (THREADS.size() - blocked > BASE_THREADS || !waitForTask()) {
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
            startedTasks++;
            Runnable task = QUEUE.remove();
            if (!QUEUE.isEmpty()) {
                ensureIdleThread(); // that thread monitors whether the others make progress
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
            return !QUEUE.isEmpty() && running - blocked < BASE_THREADS;
        }

        /** Waits for a task. Returns false if the thread has been idle for too long. */
        private static boolean waitForTask() {
            long begin = System.nanoTime();
            for (long left = IDLE_MILLIS; left > 0 && QUEUE.isEmpty(); left = IDLE_MILLIS - millisSince(begin)) {
                waitOnLock(left);
            }
            return !QUEUE.isEmpty();
        }

        /**
         * Waits while two threads run and a task waits. If no task starts, the running threads then count as blocked.
         */
        private static void waitForProgress() {
            long before = startedTasks;
            long begin = System.nanoTime();
            int timeout = blocked == 0 ? PROGRESS_MILLIS : SHORT_PROGRESS_MILLIS;
            for (long left = timeout; left > 0; left = timeout - millisSince(begin)) {
                waitOnLock(left);
                if (startedTasks != before || QUEUE.isEmpty() || mayRun()) {
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
        private static void waitOnLock(long millis) {
            try {
                LOCK.wait(millis);
            } catch (InterruptedException e) {
                // a callback may have passed this thread to other code; an interrupt has no meaning here
            }
        }
    }
}
