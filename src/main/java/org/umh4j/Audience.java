// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** One listener, and all of them. */
final class Audience {
    private static final CopyOnWriteArrayList<Audience> ALL = new CopyOnWriteArrayList<>();

    private final HelperListener listener;
    private final SerialExecutor news = new SerialExecutor();
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
            audience.news.tell(() -> audience.hear(message));
        }
    }

    private void hear(Consumer<HelperListener> message) {
        if (!left) {
            message.accept(listener);
        }
    }
}
