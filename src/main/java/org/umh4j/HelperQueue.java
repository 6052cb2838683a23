// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Semaphore;

/**
 * Lets so many helpers live at the same time and no more; who comes first is first.
 *
 * <p>A place is taken before a helper is started and free again when it has ended, whoever waits for it.
 */
public final class HelperQueue {
    private final Semaphore places;

    /** A queue for so many helpers at once. */
    public HelperQueue(int atOnce) {
        if (atOnce < 1) {
            throw new IllegalArgumentException("a queue for " + atOnce + " helpers starts none");
        }
        places = new Semaphore(atOnce, true);
    }

    /** How many could be started now without waiting. */
    public int free() {
        return places.availablePermits();
    }

    /** How many callers wait for a place. */
    public int waiting() {
        return places.getQueueLength();
    }

    /**
     * Waits for a place and starts a helper.
     *
     * @throws InterruptedException if the caller is interrupted while it waits; nothing is started, the call is unused
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

    /** Waits for a place and runs a call as {@link UsermodeHelper#exec} does, until the helper's end. */
    public int exec(SubprocessInfo info) throws InterruptedException {
        Objects.requireNonNull(info, "info");
        places.acquire();
        try {
            return UsermodeHelper.exec(info, UmhWait.PROC);
        } finally {
            places.release();
        }
    }

    /** Waits for a place and runs a helper as {@link UsermodeHelper#run} does. */
    public RunResult run(SubprocessInfo info, RunOptions capture) throws IOException, InterruptedException {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(capture, "capture");
        places.acquire();
        try {
            return UsermodeHelper.run(info, capture);
        } finally {
            places.release();
        }
    }
}
