// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * The commands that tests start by name. The session checks for them before the first test and names missing ones in
 * one line.
 */
public final class Tools implements LauncherSessionListener {
    /** As tools/setup has them, which knows the packages. */
    public static final List<String> NAMES = List.of(
            "gcc",
            "cc",
            "make",
            "readelf",
            "strace",
            "setcap",
            "getcap",
            "capsh",
            "getpcaps",
            "kill",
            "ps",
            "ip",
            "setpriv",
            "unshare",
            "nsenter",
            "prlimit",
            "taskset",
            "script",
            "perl",
            "bash",
            "timeout",
            "setsid");

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        String missing = NAMES.stream().filter(name -> !Need.hasTool(name)).collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            System.err.println("The tests' tools are missing: " + missing
                    + ". Their tests will fail; tools/setup test names the packages.");
        }
    }
}
