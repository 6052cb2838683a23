// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * When something that has ended is started again: later each time, and no more when it happens too often. What lies
 * longer back than the window is forgotten. Not for several threads at once.
 */
public final class RestartBackoff {
    private final Duration first;
    private final Duration longest;
    private final int limit;
    private final Duration window;
    private final ArrayDeque<Long> ends = new ArrayDeque<>();

    /** So many restarts within the window at most, after {@code first}, twice that, and so on up to {@code longest}. */
    public RestartBackoff(Duration first, Duration longest, int limit, Duration window) {
        this.first = first;
        this.longest = longest;
        this.limit = limit;
        this.window = window;
    }

    /** How long to wait after an end at this time of {@code System.nanoTime()}; empty when it is enough. */
    public Optional<Duration> after(long nanoTime) {
        while (!ends.isEmpty() && Duration.ofNanos(nanoTime - ends.peek()).compareTo(window) > 0) {
            ends.remove();
        }
        if (ends.size() >= limit) {
            return Optional.empty();
        }
        Duration wait = first;
        for (int doublings = ends.size(); doublings > 0 && wait.compareTo(longest) < 0; doublings--) {
            wait = wait.compareTo(longest.dividedBy(2)) < 0 ? wait.multipliedBy(2) : longest;
        }
        ends.add(nanoTime);
        return Optional.of(wait.compareTo(longest) < 0 ? wait : longest);
    }

    /** How many restarts are remembered. */
    public int count() {
        return ends.size();
    }
}
