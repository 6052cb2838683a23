// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * When something that has ended is started again: later each time, and no more when it happens too often. What lies
 * longer back than the window is forgotten. Not for several threads at once.
 */
public final class Restarts {
    private static final int MOST_DOUBLINGS = 30;

    private final Duration first;
    private final Duration longest;
    private final int limit;
    private final Duration window;
    private final ArrayDeque<Long> ends = new ArrayDeque<>();

    /** So many restarts within the window at most, after {@code first}, twice that, and so on up to {@code longest}. */
    public Restarts(Duration first, Duration longest, int limit, Duration window) {
        this.first = first;
        this.longest = longest;
        this.limit = limit;
        this.window = window;
    }

    /** How long to wait after an end at this time of {@code System.nanoTime()}; empty when it is enough. */
    public Optional<Duration> after(long nanoTime) {
        while (!ends.isEmpty() && nanoTime - ends.peek() > window.toNanos()) {
            ends.remove();
        }
        if (ends.size() >= limit) {
            return Optional.empty();
        }
        Duration wait = first.multipliedBy(1L << Math.min(ends.size(), MOST_DOUBLINGS));
        ends.add(nanoTime);
        return Optional.of(wait.compareTo(longest) < 0 ? wait : longest);
    }

    /** How many restarts are remembered. */
    public int count() {
        return ends.size();
    }
}
