// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Collection;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/** Signals processes that are not children of the JVM. */
public final class Processes {
    private Processes() {}

    /**
     * Opens a pidfd of each process, checks the process, and then signals all of them.
     *
     * @param isRightProcess called with the pidfd open, so the pid can't change its process between check and signal
     * @param mayBeSignaled called once, after all checks and before the first signal
     * @return whether a process was signaled
     */
    public static boolean signalAll(
            Collection<Integer> pids, int signal, IntPredicate isRightProcess, BooleanSupplier mayBeSignaled) {
        try (OpenedFiles opened = new OpenedFiles()) {
            int[] pidfds = pids.stream()
                    .mapToInt(pid -> {
                        int pidfd = opened.openPid(pid);
                        return isRightProcess.test(pid) ? pidfd : -1;
                    })
                    .filter(pidfd -> pidfd >= 0)
                    .toArray();
            boolean isAnySignaled = false;
            for (int pidfd : mayBeSignaled.getAsBoolean() ? pidfds : new int[0]) {
                isAnySignaled |= opened.isSameFile(pidfd) && Native.signalPidfd(pidfd, signal) == 0;
            }
            return isAnySignaled;
        }
    }
}
