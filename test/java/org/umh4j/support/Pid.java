// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processes that are not our children, by their number: grandchildren of helpers. */
public final class Pid {
    private Pid() {}

    /** A zombie that its new parent has not reaped yet counts as ended. */
    public static boolean isRunning(long pid) {
        return "ZX".indexOf(state(pid)) < 0;
    }

    /** As ps(1) shows it; X, too, for one that is not there. */
    public static char state(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return 'X';
        }
    }

    /** Ends it, if it is there. */
    public static void end(long pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
}
