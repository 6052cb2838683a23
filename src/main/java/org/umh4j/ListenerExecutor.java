// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.umh4j.internal.CallbackThreads;

/**
 * Runs tasks one after the other, in their order, in a thread of the library. It never runs a task in the thread that
 * submits it, since that thread may hold a lock.
 */
final class ListenerExecutor implements Executor {
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean running = new AtomicBoolean();

    /**
     * Submits a task. An exception is logged. If no thread can be created, the task waits for the next submission.
     */
    @Override
    public void execute(Runnable task) {
        waiting.add(task);
        if (running.compareAndSet(false, true) && !CallbackThreads.offer(this::runAll)) {
            running.set(false);
        }
    }

    private void runAll() {
        do {
            for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
                CallbackThreads.runAndLog(task);
            }
            running.set(false);
        } while (!waiting.isEmpty() && running.compareAndSet(false, true));
    }
}
