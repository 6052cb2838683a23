// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.function.BooleanSupplier;

/** Processes that are not our children. */
public final class Processes {
    private Processes() {}

    /** Opens a pidfd, looks whether it is still the right process, and signals it: 0, or a negative errno. */
    public static int signal(int pid, int signal, BooleanSupplier isTheOne) {
        int pidfd = Native.openPid(pid);
        if (pidfd < 0) {
            return pidfd;
        }
        try {
            return isTheOne.getAsBoolean() ? Native.signal(pidfd, signal) : -Native.esrch();
        } finally {
            Native.close(pidfd);
        }
    }
}
