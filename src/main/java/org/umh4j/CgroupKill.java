// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Processes;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/** Kills all processes of a cgroup. */
final class CgroupKill {
    /** The limit of rounds before Linux 5.14, where processes are killed one by one. */
    private static final int MAX_ROUNDS = 100;

    private CgroupKill() {}

    /**
     * Kills every process of a cgroup and of the cgroups below it. One write to {@code cgroup.kill} (Linux 5.14) does
     * that, and includes processes that are being forked at the moment.
     *
     * @return true if the cgroup had a process
     */
    static boolean signal(@Nullable String path, Signal signal) throws UmhException {
        Path group = Path.of(requirePath(path));
        if (signal != Signal.KILL) {
            throw new IllegalArgumentException("only SIGKILL can be sent to a cgroup, not " + signal);
        }
        try {
            if (!Files.readAllLines(group.resolve("cgroup.events")).contains("populated 1")) {
                return false;
            }
            if (!Files.exists(group.resolve("cgroup.kill"))) {
                return killEach(group, signal);
            }
            Files.writeString(group.resolve("cgroup.kill"), "1", StandardOpenOption.WRITE);
            return true;
        } catch (NoSuchFileException e) {
            if (Files.exists(group)) { // the root cgroup, which has neither file
                throw new UmhException(path, UmhStage.KILL, -Errno.EINVAL.number(), signal.number());
            }
            return false; // it was removed, so it was empty
        } catch (IOException | UncheckedIOException e) {
            throw new UmhException(path, UmhStage.KILL, -Errno.EACCES.number(), signal.number());
        }
    }

    /** Refuses a call that has the scope CGROUP, and no cgroup by its path. */
    static String requirePath(@Nullable String path) {
        if (path == null) {
            throw new IllegalArgumentException("scope CGROUP needs a cgroup by its path; add Limits.cgroup(String)");
        }
        return path;
    }

    /** Before Linux 5.14: kills the processes of this cgroup and those below one by one, until no process is left. */
    private static boolean killEach(Path group, Signal signal) throws IOException {
        boolean any = false;
        boolean found = true;
        for (int round = 0; found && round < MAX_ROUNDS; round++) {
            found = false;
            for (Path directory : directories(group)) {
                found |= Processes.signalAll(
                        members(directory),
                        signal.number(),
                        pid -> members(directory).contains(pid),
                        () -> true);
            }
            any |= found;
        }
        return any;
    }

    private static List<Path> directories(Path group) throws IOException {
        try (Stream<Path> all = Files.walk(group)) {
            return all.filter(Files::isDirectory).toList();
        }
    }

    private static List<Integer> members(Path directory) {
        try {
            return Files.readAllLines(directory.resolve("cgroup.procs")).stream()
                    .map(Integer::valueOf)
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
