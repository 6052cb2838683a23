// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.umh4j.internal.Processes;
import org.umh4j.internal.ProcFile;

/** Signals for more than one process. */
final class Reach {
    private static final Path PROC = Path.of("/proc");
    /** A session that makes processes faster than they can be found is given up on; a cgroup is the means for that. */
    private static final int ROUNDS = 100;

    private Reach() {}

    /** Every process of the session that the helper leads, until none is found that was not found before. */
    static boolean session(Helper helper, Signal signal) throws UmhException {
        boolean any = false;
        for (int round = 0; round < ROUNDS; round++) {
            boolean found = signalSession(helper.pid(), signal);
            any |= found;
            if (!found || signal != Signal.KILL) {
                break;
            }
        }
        return any;
    }

    private static boolean signalSession(long session, Signal signal) throws UmhException {
        boolean any = false;
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[1-9]*")) {
            for (Path process : processes) {
                int pid = Integer.parseInt(process.getFileName().toString());
                if (sessionOf(pid) == session) {
                    // Looked at again with the pidfd open: then it can't be another process by now.
                    any |= Processes.signal(pid, signal.number(), () -> sessionOf(pid) == session) == 0;
                }
            }
            return any;
        } catch (IOException e) {
            throw new UmhException("session " + session, UmhStage.KILL, -Errno.ENOENT.number(), signal.number());
        }
    }

    /** The sixth field of /proc/PID/stat; -1 for a process that is gone, and 0 for one that is a zombie. */
    private static long sessionOf(int pid) {
        try {
            String stat = ProcFile.read("/proc/" + pid + "/stat");
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", 5);
            return fields[0].equals("Z") ? 0 : Long.parseLong(fields[3]);
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }

    /** {@code cgroup.kill} (5.14) is one write for everything below, forks in flight included. */
    static boolean cgroup(Helper helper, String folder, Signal signal) throws UmhException {
        if (folder == null || signal != Signal.KILL) {
            throw new IllegalArgumentException("only SIGKILL reaches a cgroup, and the call must have named one by its path");
        }
        Path group = Path.of(folder);
        try {
            boolean populated = Files.readAllLines(group.resolve("cgroup.events")).contains("populated 1");
            Files.writeString(group.resolve("cgroup.kill"), "1");
            return populated;
        } catch (NoSuchFileException e) {
            return killEach(group, signal);
        } catch (IOException e) {
            throw new UmhException(folder, UmhStage.KILL, -Errno.EACCES.number(), signal.number());
        }
    }

    /** Before 5.14: one by one, until none is left. */
    private static boolean killEach(Path group, Signal signal) throws UmhException {
        boolean any = false;
        try {
            for (int round = 0; round < ROUNDS; round++) {
                var members = Files.readAllLines(group.resolve("cgroup.procs"));
                if (members.isEmpty()) {
                    break;
                }
                for (String pid : members) {
                    any |= Processes.signal(Integer.parseInt(pid), signal.number(), () -> true) == 0;
                }
            }
            return any;
        } catch (IOException e) {
            throw new UmhException(group.toString(), UmhStage.KILL, -Errno.EACCES.number(), signal.number());
        }
    }
}
