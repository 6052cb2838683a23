// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.ProcFile;
import org.umh4j.internal.Processes;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/** Signals for more than one process. */
final class ScopedKill {
    private static final Path PROC = Path.of("/proc");
    /** A session that makes processes faster than they can be found is given up on; a cgroup is the means for that. */
    private static final int ROUNDS = 100;

    private ScopedKill() {}

    /**
     * Every process of the session but its leader; for SIGKILL until none is found that was not found before.
     *
     * @param isOurs whether the session's number can't have become another session's
     */
    static boolean session(long session, Signal signal, BooleanSupplier isOurs) throws UmhException {
        boolean any = false;
        for (int round = 0; round < ROUNDS; round++) {
            boolean found =
                    Processes.signalAll(candidates(session), signal.number(), pid -> sessionOf(pid) == session, isOurs);
            any |= found;
            if (!found || signal != Signal.KILL) {
                break;
            }
        }
        return any;
    }

    private static List<Integer> candidates(long session) throws UmhException {
        List<Integer> pids = new ArrayList<>();
        if (!isProcOurs()) {
            throw notFound(session);
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[1-9]*")) {
            for (Path process : processes) {
                int pid = Integer.parseInt(process.getFileName().toString());
                if (pid != session && sessionOf(pid) == session) {
                    pids.add(pid);
                }
            }
            return pids;
        } catch (IOException | DirectoryIteratorException e) {
            throw notFound(session);
        }
    }

    private static UmhException notFound(long session) {
        return new UmhException("session " + session, UmhStage.KILL, -Errno.ENOENT.number(), 0);
    }

    /** In the /proc of an outer pid namespace a process has one number for each; those of others are not ours to signal. */
    private static boolean isProcOurs() {
        try {
            return ProcFile.read("/proc/self/status").lines().noneMatch(line -> line.matches("NSpid:\t\\d+\t.*"));
        } catch (IOException e) {
            return false;
        }
    }

    /** The sixth field of /proc/PID/stat; -1 for a process that is gone or a zombie, which no signal reaches. */
    private static long sessionOf(int pid) {
        try {
            String[] fields = ProcFile.fields(ProcFile.read("/proc/" + pid + "/stat"));
            return fields[0].equals("Z") ? -1 : Long.parseLong(fields[3]);
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }

    /** {@code cgroup.kill} (5.14) is one write for everything below, forks in flight included. */
    static boolean cgroup(@Nullable String folder, Signal signal) throws UmhException {
        if (folder == null || signal != Signal.KILL) {
            throw new IllegalArgumentException(
                    "only SIGKILL reaches a cgroup, and the call must have named one by its path");
        }
        Path group = Path.of(folder);
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
            if (Files.exists(group)) { // the root of all, which can't be killed
                throw new UmhException(folder, UmhStage.KILL, -Errno.EINVAL.number(), signal.number());
            }
            return false; // it was removed, and only an empty one can be
        } catch (IOException | UncheckedIOException e) {
            throw new UmhException(folder, UmhStage.KILL, -Errno.EACCES.number(), signal.number());
        }
    }

    /** Before 5.14: one by one, in this folder and all below, until none is left. */
    private static boolean killEach(Path group, Signal signal) throws IOException {
        boolean any = false;
        boolean found = true;
        for (int round = 0; found && round < ROUNDS; round++) {
            found = false;
            for (Path folder : folders(group)) {
                found |= Processes.signalAll(
                        members(folder), signal.number(), pid -> members(folder).contains(pid), () -> true);
            }
            any |= found;
        }
        return any;
    }

    private static List<Path> folders(Path group) throws IOException {
        try (Stream<Path> all = Files.walk(group)) {
            return all.filter(Files::isDirectory).toList();
        }
    }

    private static List<Integer> members(Path folder) {
        try {
            return Files.readAllLines(folder.resolve("cgroup.procs")).stream()
                    .map(Integer::valueOf)
                    .toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
