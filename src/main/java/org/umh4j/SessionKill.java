// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.umh4j.internal.ProcFile;
import org.umh4j.internal.Processes;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/** Sends a signal to all processes of a session. */
final class SessionKill {
    private static final Path PROC = Path.of("/proc");
    /**
     * The limit of rounds for a session that creates processes faster than they can be found. A cgroup has no such
     * limit.
     */
    private static final int MAX_ROUNDS = 100;

    private SessionKill() {}

    /**
     * Signals every process of the session except its leader. SIGKILL is repeated until no further process is found.
     *
     * @param isNumberHeld whether the number of the session can't have been reused by another session
     * @return true if the signal was sent to at least one process
     */
    static boolean signal(long session, Signal signal, BooleanSupplier isNumberHeld) throws UmhException {
        boolean any = false;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            boolean found = Processes.signalAll(
                    membersOfSession(session), signal.number(), pid -> sessionOf(pid) == session, isNumberHeld);
            any |= found;
            if (!found || signal != Signal.KILL) {
                break;
            }
        }
        return any;
    }

    private static List<Integer> membersOfSession(long session) throws UmhException {
        List<Integer> pids = new ArrayList<>();
        if (!isProcOfOwnNamespace()) {
            throw procUnusable(session);
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
            throw procUnusable(session);
        }
    }

    private static UmhException procUnusable(long session) {
        return new UmhException("session " + session, UmhStage.KILL, -Errno.ENOENT.number(), 0);
    }

    /**
     * Whether {@code /proc} belongs to the JVM's pid namespace. In that of an outer one {@code NSpid} has several
     * numbers, and the names of directories are not pids of the JVM's namespace.
     */
    private static boolean isProcOfOwnNamespace() {
        try {
            return ProcFile.read("/proc/self/status").lines().noneMatch(line -> line.matches("NSpid:\t\\d+\t.*"));
        } catch (IOException e) {
            return false;
        }
    }

    /** The session of a process, the sixth field of /proc/PID/stat; -1 if it has ended or is a zombie. */
    private static long sessionOf(int pid) {
        try {
            String[] fields = ProcFile.statFields(ProcFile.read("/proc/" + pid + "/stat"));
            return fields[0].equals("Z") ? -1 : Long.parseLong(fields[3]);
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }
}
