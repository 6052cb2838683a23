// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Goes through numbered combinations with a few threads, and stops when enough of them have failed. */
public final class Combinations {
    private static final int THREADS = 3;
    private static final int MOST_FAILURES = 20;

    /** One in this number of combinations is tried: a prime above 5. */
    private static final int ONE_IN = Integer.getInteger("test.one.in", 1);

    private Combinations() {}

    /** Tries one combination. */
    public interface Check {
        /** Returns the fault of a combination, or an empty text. Each worker has another number. */
        Optional<String> failure(int worker, int number) throws Exception;
    }

    /** How many of many repetitions are made. */
    public static int times(int most) {
        return most / ONE_IN;
    }

    /** Returns the faults of a sample of the combinations from 0 to count. */
    public static List<String> failures(int count, int stride, Check check) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        Queue<String> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int worker = i;
            Thread thread = new Thread(() -> {
                int number = next.getAndAdd(stride * ONE_IN);
                while (number < count && failures.size() < MOST_FAILURES) {
                    failure(check, worker, number).ifPresent(failures::add);
                    number = next.getAndAdd(stride * ONE_IN);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return List.copyOf(failures);
    }

    private static Optional<String> failure(Check check, int worker, int number) {
        try {
            return check.failure(worker, number);
        } catch (Exception e) {
            return Optional.of("number " + number + ": " + e);
        }
    }
}
