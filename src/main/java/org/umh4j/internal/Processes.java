// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Collection;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/** Processes that are not our children. */
public final class Processes {
    private Processes() {}

    /**
     * Opens a pidfd of each, looks whether it is the right process, and only then signals them all.
     *
     * @param isTheOne asked with the pidfd open: so the process can't become another one between question and signal
     * @param areOurs asked once, when all were looked at and before the first is signalled
     * @return whether any was signalled
     */
    public static boolean signalAll(
            Collection<Integer> pids, int signal, IntPredicate isTheOne, BooleanSupplier areOurs) {
        try (OpenedFiles opened = new OpenedFiles()) {
            int[] pidfds = pids.stream()
                    .mapToInt(pid -> {
                        int pidfd = opened.openPid(pid);
                        return isTheOne.test(pid) ? pidfd : -1;
                    })
                    .filter(pidfd -> pidfd >= 0)
                    .toArray();
            boolean any = false;
            for (int pidfd : areOurs.getAsBoolean() ? pidfds : new int[0]) {
                any |= opened.isOwn(pidfd) && Native.signalPidfd(pidfd, signal) == 0;
            }
            return any;
        }
    }
}
