// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.umh4j.internal.CallbackThreads;

/**
 * What one listener is still to be told: in order, one after the other, in a thread of the library and never in the one
 * that has the news, which may hold a lock.
 */
final class SerialExecutor {
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean telling = new AtomicBoolean();

    /** Where no thread can be made it waits for the next one. What it throws is logged. */
    void tell(Runnable message) {
        waiting.add(message);
        if (telling.compareAndSet(false, true) && !CallbackThreads.offer(this::tellAll)) {
            telling.set(false);
        }
    }

    private void tellAll() {
        do {
            for (Runnable message = waiting.poll(); message != null; message = waiting.poll()) {
                CallbackThreads.logged(message);
            }
            telling.set(false);
        } while (!waiting.isEmpty() && telling.compareAndSet(false, true));
    }
}
