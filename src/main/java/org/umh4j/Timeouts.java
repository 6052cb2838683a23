// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Objects;

/** The close timeout, checks and conversions of durations, and a wait that an interrupt does not end. */
final class Timeouts {
    /** How long {@link Helper#close} waits for a process after SIGKILL. */
    static final Duration CLOSE = Duration.ofSeconds(5);

    /** A wait that an interrupt ends. */
    interface InterruptibleWait {
        Object upTo(Duration timeout) throws InterruptedException;
    }

    private Timeouts() {}

    static Duration requireNotNegative(Duration duration, String name) {
        if (Objects.requireNonNull(duration, name).isNegative()) {
            throw new IllegalArgumentException(name + " is negative: " + duration);
        }
        return duration;
    }

    static Duration requirePositive(Duration duration, String name) {
        if (Objects.requireNonNull(duration, name).isNegative() || duration.isZero()) {
            throw new IllegalArgumentException(name + " is not positive: " + duration);
        }
        return duration;
    }

    /** The duration in nanoseconds; 0 for a negative one, {@link Long#MAX_VALUE} for one of more than 292 years. */
    static long saturatedNanos(Duration duration) {
        try {
            return Math.max(Objects.requireNonNull(duration, "timeout").toNanos(), 0);
        } catch (ArithmeticException e) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    /** Waits up to the timeout. An interrupt does not end the wait, and the interrupt flag is set again on return. */
    static void uninterruptibly(Duration timeout, InterruptibleWait wait) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + saturatedNanos(timeout);
        for (; ; ) {
            try {
                wait.upTo(Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0)));
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
