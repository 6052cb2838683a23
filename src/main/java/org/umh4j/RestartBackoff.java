// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * The pauses before the restarts of a process that keeps ending: each pause is twice the one before, and the number of
 * restarts within a time window is limited.
 *
 * <p>{@link Supervisor} and {@code umh driver --supervise} use it. A program that restarts a helper itself calls
 * {@link #after} at each end of the helper:
 *
 * <pre>{@code
 * RestartBackoff backoff = RestartBackoff.defaults();
 * Optional<Duration> pause = backoff.after(System.nanoTime());
 * if (pause.isPresent()) {
 *     Thread.sleep(pause.get().toMillis());   // then start the helper again; else give up
 * }
 * }</pre>
 *
 * <p>Ends that are older than the window no longer count. An instance must not be used by several threads at once.
 */
public final class RestartBackoff {
    /** The pause before the first restart. */
    public static final Duration DEFAULT_FIRST_PAUSE = Duration.ofMillis(100);

    /** The longest pause. */
    public static final Duration DEFAULT_LONGEST_PAUSE = Duration.ofSeconds(10);

    /** The number of restarts within {@link #DEFAULT_WINDOW}. */
    public static final int DEFAULT_LIMIT = 5;

    /** The time in which restarts are counted. */
    public static final Duration DEFAULT_WINDOW = Duration.ofMinutes(1);

    private final Duration first;
    private final Duration longest;
    private final int limit;
    private final Duration window;
    private final ArrayDeque<Long> ends = new ArrayDeque<>();

    /**
     * Allows {@code limit} restarts within {@code window}.
     *
     * @param first the first pause, which is doubled for each further restart
     * @param longest the longest pause
     * @param limit the number of restarts within the window; 0 for none
     * @param window the time in which restarts are counted
     * @throws IllegalArgumentException if a duration is not positive or the limit is negative
     */
    public RestartBackoff(Duration first, Duration longest, int limit, Duration window) {
        this.first = Timeouts.requirePositive(first, "first");
        this.longest = Timeouts.requirePositive(longest, "longest");
        this.window = Timeouts.requirePositive(window, "window");
        if (limit < 0) {
            throw new IllegalArgumentException("limit " + limit + " is negative");
        }
        this.limit = limit;
    }

    /** Returns a back-off of 100 ms to 10 s with at most 5 restarts within a minute. */
    public static RestartBackoff defaults() {
        return new RestartBackoff(DEFAULT_FIRST_PAUSE, DEFAULT_LONGEST_PAUSE, DEFAULT_LIMIT, DEFAULT_WINDOW);
    }

    /**
     * Records an end and returns the pause before the restart. Empty if the limit is reached.
     *
     * @param nanoTime the time of the end, from {@link System#nanoTime}
     */
    public Optional<Duration> after(long nanoTime) {
        while (!ends.isEmpty() && Duration.ofNanos(nanoTime - ends.peek()).compareTo(window) > 0) {
            ends.remove();
        }
        if (ends.size() >= limit) {
            return Optional.empty();
        }
        Duration pause = first;
        for (int doublings = ends.size(); doublings > 0 && pause.compareTo(longest) < 0; doublings--) {
            pause = pause.compareTo(longest.dividedBy(2)) < 0 ? pause.multipliedBy(2) : longest;
        }
        ends.add(nanoTime);
        return Optional.of(pause.compareTo(longest) < 0 ? pause : longest);
    }

    /** Returns the number of restarts that count at the moment. */
    public int count() {
        return ends.size();
    }
}
