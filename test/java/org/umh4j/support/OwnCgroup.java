// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A cgroup of the second version that a test has made, for as long as it is open. */
public record OwnCgroup(Path folder) implements AutoCloseable {
    /** Without a place for a cgroup on this host, the test is skipped with that reason. */
    public static OwnCgroup make(String name) throws IOException {
        OwnCgroup cgroup = tryToMake(name);
        return cgroup == null ? Need.CGROUP.missing() : cgroup;
    }

    /** Null where this host has no place for one. */
    static OwnCgroup tryToMake(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            Path folder = Path.of(
                    line.split(" ")[4],
                    "umh4j-" + name + "-" + ProcessHandle.current().pid());
            if (line.contains(" - cgroup2 ") && folder.toFile().mkdir()) {
                return new OwnCgroup(folder);
            }
        }
        return null;
    }

    /** As {@code /proc/PID/cgroup} has it. */
    public String line() {
        return "0::/" + folder.getFileName();
    }

    /** It can't be removed as long as anybody in it is on the way out. */
    @Override
    public void close() throws IOException {
        try {
            Await.until("the cgroup is removed", () -> folder.toFile().delete());
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
