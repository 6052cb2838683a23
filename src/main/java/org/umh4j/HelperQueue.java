// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Semaphore;

/**
 * A limit for the number of helpers that run at the same time. A caller that exceeds it waits; callers are served in
 * the order of their arrival.
 *
 * <pre>{@code
 * HelperQueue queue = new HelperQueue(4);
 * RunResult result = queue.run(info, RunOptions.defaults());   // waits while four helpers run
 * }</pre>
 *
 * <p>A helper occupies a place from before its start until its end, even if no thread waits for that end.
 */
public final class HelperQueue {
    private final Semaphore places;

    /**
     * Creates a queue.
     *
     * @param maxRunning the largest number of helpers that run at the same time; at least 1
     * @throws IllegalArgumentException for a smaller number
     */
    public HelperQueue(int maxRunning) {
        if (maxRunning < 1) {
            throw new IllegalArgumentException("maxRunning " + maxRunning + " is not positive");
        }
        places = new Semaphore(maxRunning, true);
    }

    /** Returns the number of helpers that could be started now without waiting. */
    public int available() {
        return places.availablePermits();
    }

    /** Returns the number of callers that wait for a place. */
    public int waiting() {
        return places.getQueueLength();
    }

    /**
     * Waits for a place and starts a helper, as {@link UsermodeHelper#start} does. The helper occupies the place until
     * its end.
     *
     * @throws UmhException as {@link UsermodeHelper#start}, also its unchecked exceptions; the place is free again
     * @throws InterruptedException if the caller is interrupted while it waits for a place; {@code info} is not used up
     */
    public Helper start(SubprocessInfo info) throws UmhException, InterruptedException {
        Objects.requireNonNull(info, "info");
        places.acquire();
        Helper helper = null;
        try {
            helper = UsermodeHelper.start(info);
            return helper;
        } finally {
            if (helper == null) {
                places.release();
            } else {
                helper.exitEvent().thenRun(places::release);
            }
        }
    }

    /**
     * Waits for a place and executes a call with {@link UmhWait#PROC}, as {@link UsermodeHelper#exec} does.
     *
     * @return as {@link UsermodeHelper#exec}
     * @throws InterruptedException if the caller is interrupted while it waits for a place; {@code info} is not used up
     */
    public int exec(SubprocessInfo info) throws InterruptedException {
        Objects.requireNonNull(info, "info");
        places.acquire();
        try {
            return UsermodeHelper.exec(info, UmhWait.PROC);
        } finally {
            places.release();
        }
    }

    /**
     * Waits for a place and runs a helper, as {@link UsermodeHelper#run} does. The timeout begins when a place is free.
     *
     * @throws IOException as {@link UsermodeHelper#run}
     * @throws InterruptedException as {@link UsermodeHelper#run}, and if the caller is interrupted while it waits for
     *     a place
     */
    public RunResult run(SubprocessInfo info, RunOptions options) throws IOException, InterruptedException {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(options, "options");
        places.acquire();
        try {
            return UsermodeHelper.run(info, options);
        } finally {
            places.release();
        }
    }
}
