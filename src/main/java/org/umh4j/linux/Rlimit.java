// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.StringTokenizer;

/** What {@code setrlimit(2)} limits, in the order of the kernel's numbers. */
public enum Rlimit {
    /** Seconds of cpu time. */
    CPU("Max cpu time"),
    /** Bytes of a file. */
    FSIZE("Max file size"),
    /** Bytes of data segment, heap and private mappings. */
    DATA("Max data size"),
    /** Bytes of stack; a quarter of it bounds arguments and environment. */
    STACK("Max stack size"),
    /** Bytes of a core dump. */
    CORE("Max core file size"),
    /** Without effect since 2.4.30. */
    RSS("Max resident set"),
    /** Processes and threads of the user. */
    NPROC("Max processes"),
    /** One more than the highest descriptor. */
    NOFILE("Max open files"),
    /** Bytes locked in memory. */
    MEMLOCK("Max locked memory"),
    /** Bytes of address space. */
    AS("Max address space"),
    /** Without effect since 2.4.25. */
    LOCKS("Max file locks"),
    /** Queued signals of the user. */
    SIGPENDING("Max pending signals"),
    /** Bytes in POSIX message queues of the user. */
    MSGQUEUE("Max msgqueue size"),
    /** 20 minus the lowest nice value. */
    NICE("Max nice priority"),
    /** The highest real-time priority. */
    RTPRIO("Max realtime priority"),
    /** Microseconds of real-time cpu time without a blocking call. */
    RTTIME("Max realtime timeout");

    /** No limit. */
    public static final long INFINITY = -1;

    private final String procName;

    Rlimit(String procName) {
        this.procName = procName;
    }

    /** How its line in {@code /proc/PID/limits} begins. */
    public String procName() {
        return procName;
    }

    /**
     * Reads the text of {@code /proc/PID/limits}.
     *
     * @return soft and hard limit of each resource, in the order of their numbers; {@link #INFINITY} for none
     * @throws RuntimeException if the text is not of this form
     */
    public static long[] parseProcLimits(String table) {
        long[] limits = new long[2 * values().length];
        String text = "\n" + table + "\n";
        for (Rlimit rlimit : values()) {
            int begin = text.indexOf("\n" + rlimit.procName + " ") + 1 + rlimit.procName.length();
            // Not by a regular expression, whose first use in a JVM takes longer than a launch.
            StringTokenizer values = new StringTokenizer(text.substring(begin, text.indexOf('\n', begin)));
            limits[2 * rlimit.ordinal()] = limit(values.nextToken());
            limits[2 * rlimit.ordinal() + 1] = limit(values.nextToken());
        }
        return limits;
    }

    private static long limit(String text) {
        return text.equals("unlimited") ? INFINITY : Long.parseUnsignedLong(text);
    }
}
