// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.umh4j.internal.Workers;

/** One listener and what it is still to be told: in order, one after the other, never in the thread that has the news. */
final class Audience {
    private static final CopyOnWriteArrayList<Audience> ALL = new CopyOnWriteArrayList<>();

    private final HelperListener listener;
    private final ConcurrentLinkedQueue<Consumer<HelperListener>> news = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean telling = new AtomicBoolean();
    private volatile boolean left;

    private Audience(HelperListener listener) {
        this.listener = listener;
    }

    static void add(HelperListener listener) {
        ALL.add(new Audience(Objects.requireNonNull(listener, "listener")));
    }

    static boolean remove(HelperListener listener) {
        for (Audience audience : ALL) {
            if (audience.listener == listener && ALL.remove(audience)) {
                audience.left = true;
                return true;
            }
        }
        return false;
    }

    static boolean isEmpty() {
        return ALL.isEmpty();
    }

    /** Those of this moment: who is told of a start is told of the end. */
    static List<Audience> now() {
        return List.copyOf(ALL);
    }

    static void tell(List<Audience> audiences, Consumer<HelperListener> message) {
        for (Audience audience : audiences) {
            audience.tell(message);
        }
    }

    /** Where no thread can be made it waits for the next message. */
    private void tell(Consumer<HelperListener> message) {
        news.add(message);
        if (telling.compareAndSet(false, true) && !Workers.offer(this::tellAll)) {
            telling.set(false);
        }
    }

    private void tellAll() {
        do {
            for (Consumer<HelperListener> message = news.poll(); message != null; message = news.poll()) {
                tellNow(message);
            }
            telling.set(false);
        } while (!news.isEmpty() && telling.compareAndSet(false, true));
    }

    private void tellNow(Consumer<HelperListener> message) {
        if (!left) {
            Workers.logged(() -> message.accept(listener));
        }
    }
}
