// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processes that are not our children, by their number: grandchildren of helpers. */
public final class Pid {
    private Pid() {}

    /** A zombie that its new parent has not looked at yet runs no more. */
    public static boolean isRunning(long pid) {
        try {
            return !Files.readString(Path.of("/proc/" + pid + "/stat")).matches("(?s).*\\) [ZX] .*");
        } catch (IOException e) {
            return false;
        }
    }

    /** Ends it, if it is there. */
    public static void end(long pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
}
