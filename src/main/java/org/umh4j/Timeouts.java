// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Objects;

/** What the JDK lacks for waiting. */
final class Timeouts {
    /** A wait that can be interrupted. */
    interface Wait {
        Object upTo(Duration timeout) throws InterruptedException;
    }

    private Timeouts() {}

    /** The same, for a duration that must not be negative. */
    static long notNegative(Duration duration, String name) {
        if (Objects.requireNonNull(duration, name).isNegative()) {
            throw new IllegalArgumentException(name + " is negative: " + duration);
        }
        return saturatedNanos(duration);
    }

    /** As many nanoseconds as fit; none for a negative duration. */
    static long saturatedNanos(Duration duration) {
        try {
            return Math.max(Objects.requireNonNull(duration, "timeout").toNanos(), 0);
        } catch (ArithmeticException e) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    /** Waits up to the timeout whatever interrupts it; an interrupt stays pending. */
    static void uninterruptibly(Duration timeout, Wait wait) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + timeout.toNanos();
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
