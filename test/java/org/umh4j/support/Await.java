// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for what another process or thread will do, much longer than it should take. */
public final class Await {
    /** Far beyond what anything takes on a busy machine; what takes longer hangs. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private Await() {}

    /** Fails unless it becomes true. */
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        long begin = System.nanoTime();
        while (!condition.call()) {
            if (System.nanoTime() - begin > PATIENCE.toNanos()) {
                throw new AssertionError("not within " + PATIENCE + ": " + what);
            }
            Thread.sleep(1);
        }
    }

    /** Waits until the thread waits itself: parked, or in the kernel after that. */
    public static void blocked(Thread thread) throws Exception {
        until(
                thread + " waits",
                () -> thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING);
    }

    /** Waits until the thread reads from a pipe, of ours or of the JDK's, and waits there. */
    public static void inRead(Thread thread) throws Exception {
        until(thread + " reads", () -> {
            for (StackTraceElement element : thread.getStackTrace()) {
                if (element.getMethodName().equals("awaitAndTransfer")
                        || element.getMethodName().equals("readBytes")) {
                    return true;
                }
            }
            return false;
        });
        Thread.sleep(30); // the JDK's has no state that tells whether it is in the system call
    }

    /** Waits for the end of a thread. */
    public static void end(Thread thread) throws InterruptedException {
        thread.join(PATIENCE.toMillis());
        if (thread.isAlive()) {
            throw new AssertionError(thread + " hangs");
        }
    }
}
