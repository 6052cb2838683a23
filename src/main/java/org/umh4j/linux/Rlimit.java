// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.StringTokenizer;

/**
 * The resources of {@code setrlimit(2)}, in the order of the kernel's numbers {@code RLIMIT_*}.
 *
 * @implSpec {@code include/uapi/asm-generic/resource.h}, Linux 6.12
 */
public enum Rlimit {
    /** CPU time, in seconds. */
    CPU("Max cpu time"),
    /** Size of a file that the process writes, in bytes. */
    FSIZE("Max file size"),
    /** Data segment, heap and private writable mappings, in bytes. */
    DATA("Max data size"),
    /** Stack size, in bytes. Arguments and environment may take a quarter of it. */
    STACK("Max stack size"),
    /** Size of a core dump, in bytes. */
    CORE("Max core file size"),
    /** Resident set. Without effect since Linux 2.4.30. */
    RSS("Max resident set"),
    /** Number of processes and threads of the real uid. */
    NPROC("Max processes"),
    /** Highest descriptor number plus one. */
    NOFILE("Max open files"),
    /** Locked memory, in bytes. */
    MEMLOCK("Max locked memory"),
    /** Address space, in bytes. */
    AS("Max address space"),
    /** File locks. Without effect since Linux 2.4.25. */
    LOCKS("Max file locks"),
    /** Number of queued signals of the real uid. */
    SIGPENDING("Max pending signals"),
    /** POSIX message queues of the real uid, in bytes. */
    MSGQUEUE("Max msgqueue size"),
    /** 20 minus the lowest nice value that the process may set. */
    NICE("Max nice priority"),
    /** Highest real-time priority that the process may set. */
    RTPRIO("Max realtime priority"),
    /** CPU time without a blocking system call under a real-time policy, in microseconds. */
    RTTIME("Max realtime timeout");

    /**
     * No limit, {@code RLIM_INFINITY}: the highest value, since limits are unsigned. It is the only negative number.
     */
    public static final long INFINITY = -1;

    private final String procName;

    Rlimit(String procName) {
        this.procName = procName;
    }

    /** Returns the name in {@code /proc/PID/limits}, such as {@code Max open files}. */
    public String procName() {
        return procName;
    }

    /**
     * Reads all limits from the text of {@code /proc/PID/limits}.
     *
     * @return soft limit and hard limit of each resource, in the order of the constants: 32 numbers
     * @throws IllegalArgumentException if the text has another form
     */
    public static long[] parseProcLimits(String table) {
        long[] limits = new long[2 * values().length];
        String text = "\n" + Objects.requireNonNull(table, "table") + "\n";
        for (Rlimit rlimit : values()) {
            int line = text.indexOf("\n" + rlimit.procName + " ");
            if (line < 0) {
                throw new IllegalArgumentException("table has no line '" + rlimit.procName + "'");
            }
            int begin = line + 1 + rlimit.procName.length();
            // A JVM's first use of a regular expression takes longer than a launch.
            StringTokenizer values = new StringTokenizer(text.substring(begin, text.indexOf('\n', begin)));
            limits[2 * rlimit.ordinal()] = parseLimit(rlimit, values);
            limits[2 * rlimit.ordinal() + 1] = parseLimit(rlimit, values);
        }
        return limits;
    }

    private static long parseLimit(Rlimit rlimit, StringTokenizer values) {
        try {
            String text = values.nextToken();
            return text.equals("unlimited") ? INFINITY : Long.parseUnsignedLong(text);
        } catch (NoSuchElementException | NumberFormatException e) {
            throw new IllegalArgumentException("table has no two limits in its line '" + rlimit.procName + "'", e);
        }
    }
}
