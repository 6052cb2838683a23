// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Two threads at most that run what callers gave us: init and cleanup of calls that nobody waits for, and whatever
 * hangs on an exit future. The reaper never runs such code, so code that blocks delays no exit notice.
 */
public final class Workers {
    private static final int THREADS = 2;
    private static final int IDLE_SECONDS = 10;
    private static final ThreadPoolExecutor POOL = pool();

    private Workers() {}

    /** For the dependents of futures, which take their failures themselves. */
    public static Executor executor() {
        return Workers::execute;
    }

    /**
     * Runs the task soon; what it throws is logged, since nobody can catch it.
     *
     * @return false if there is no thread for it and none can be made
     */
    public static boolean offer(Runnable task) {
        Runnable logged = () -> logged(task);
        try {
            POOL.execute(logged);
            return true;
        } catch (OutOfMemoryError e) { // most often no memory, but no second thread
            return POOL.getPoolSize() > 0 && POOL.getQueue().offer(logged);
        }
    }

    /** The same; where there is no thread it is run here and now, but in the reaper, which waits until there is one. */
    public static void execute(Runnable task) {
        if (offer(task)) {
            return;
        }
        if (Reaper.isCurrent()) {
            Reaper.offerLater(task);
        } else {
            logged(task);
        }
    }

    /** Runs the task; what it throws is logged. */
    public static void logged(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, "a callback failed", e);
        }
    }

    private static ThreadPoolExecutor pool() {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Workers::thread);
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static Thread thread(Runnable run) {
        Thread thread = new Thread(null, run, "umh4j-worker", 0, false);
        thread.setDaemon(true);
        return thread;
    }
}
