// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.umh4j.SubprocessInfo;
import org.umh4j.task.KillScope;
import org.umh4j.task.Limits;

/** Cgroups of version 2 for the helpers of a soak, all in one directory. */
final class Cgroups {
    private static final Path HYBRID = Path.of("/sys/fs/cgroup/unified");
    private static final Path ROOT = Files.isDirectory(HYBRID) ? HYBRID : Path.of("/sys/fs/cgroup");
    private static final Path FOLDER =
            ROOT.resolve("umh4j-soak-" + ProcessHandle.current().pid());
    private static final AtomicLong NUMBER = new AtomicLong();
    private static final boolean THERE = make(FOLDER);

    private Cgroups() {}

    /** Whether they can be made here. */
    static boolean areThere() {
        return THERE;
    }

    private static boolean make(Path folder) {
        try {
            return Files.exists(ROOT.resolve("cgroup.procs")) && Files.isDirectory(Files.createDirectory(folder));
        } catch (IOException e) {
            return false;
        }
    }

    /** How many are there now. */
    static long count() throws IOException {
        if (!THERE) {
            return 0;
        }
        try (Stream<Path> entries = Files.list(FOLDER)) {
            return entries.filter(Files::isDirectory).count();
        }
    }

    /** Deletes the directory, at the end of the soak. */
    static void remove() throws IOException {
        if (THERE) {
            Files.delete(FOLDER);
        }
    }

    static One make() throws IOException {
        return new One(Files.createDirectory(FOLDER.resolve(Long.toString(NUMBER.incrementAndGet()))));
    }

    /** One of them, which is empty when it is closed. */
    record One(Path folder) implements AutoCloseable {
        SubprocessInfo of(SubprocessInfo info) {
            return info.task(info.task()
                    .limits(Limits.defaults().cgroup(folder.toString()))
                    .scope(KillScope.CGROUP));
        }

        boolean has(long pid) throws IOException {
            return Files.readString(folder.resolve("cgroup.procs")).equals(pid + "\n");
        }

        @Override
        public void close() throws IOException {
            Files.delete(folder);
        }
    }
}
