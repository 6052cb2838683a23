// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.StringTokenizer;

/**
 * What kthreadd hands down to a helper of the kernel.
 *
 * <p>Its resource limits are read from {@code /proc/2/limits} where pid 2 is kthreadd; in a pid namespace it is not,
 * and they are computed as the kernel computes them at boot.
 */
public final class KernelDefaults {
    public static final int UMASK = 0022;
    public static final long TIMER_SLACK_NANOS = 50_000;
    public static final int COREDUMP_FILTER = 0x33;

    private static final long INFINITY = -1;
    private static final long UNKNOWN = -2;
    private static final long PF_KTHREAD = 0x0020_0000;
    private static final String KTHREADD = "/proc/2";

    /** The lines of /proc/PID/limits in the order of the resources' numbers, RLIMIT_CPU to RLIMIT_RTTIME. */
    private static final List<String> RESOURCES = List.of(
            "Max cpu time",
            "Max file size",
            "Max data size",
            "Max stack size",
            "Max core file size",
            "Max resident set",
            "Max processes",
            "Max open files",
            "Max locked memory",
            "Max address space",
            "Max file locks",
            "Max pending signals",
            "Max msgqueue size",
            "Max nice priority",
            "Max realtime priority",
            "Max realtime timeout");

    private static final long[] RLIMITS = rlimitsOfKthreadd();

    private KernelDefaults() {}

    /** Has every limit set, as far as the host permits and tells them. */
    public static void rlimits(Plan plan) {
        for (int resource = 0; resource < RLIMITS.length / 2; resource++) {
            if (RLIMITS[2 * resource] != UNKNOWN) {
                plan.rlimit(resource, RLIMITS[2 * resource], RLIMITS[2 * resource + 1], false);
            }
        }
    }

    private static long[] rlimitsOfKthreadd() {
        try {
            return isKthreadd() ? parse(ProcFile.read(KTHREADD + "/limits") + "\n") : computed();
        } catch (IOException | RuntimeException e) {
            return computed();
        }
    }

    private static boolean isKthreadd() throws IOException {
        String stat = ProcFile.read(KTHREADD + "/stat");
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return stat.startsWith("2 (kthreadd)") && (Long.parseLong(fields[6]) & PF_KTHREAD) != 0;
    }

    /** Every line of the table ends with a newline, the last one too. */
    static long[] parse(String table) {
        long[] limits = new long[2 * RESOURCES.size()];
        for (int resource = 0; resource < RESOURCES.size(); resource++) {
            String name = RESOURCES.get(resource);
            int begin = table.indexOf("\n" + name + " ") + 1 + name.length();
            // Not by a regular expression, whose first use in a JVM takes longer than a launch.
            StringTokenizer values = new StringTokenizer(table.substring(begin, table.indexOf('\n', begin)));
            limits[2 * resource] = limit(values.nextToken());
            limits[2 * resource + 1] = limit(values.nextToken());
        }
        return limits;
    }

    private static long limit(String text) {
        return text.equals("unlimited") ? INFINITY : Long.parseUnsignedLong(text);
    }

    /** INIT_RLIMITS of asm-generic/resource.h, and what fork_init() of kernel/fork.c makes of two of them. */
    private static long[] computed() {
        long processes = halfOfThreadsMax();
        long[] limits = new long[2 * RESOURCES.size()];
        Arrays.fill(limits, INFINITY);
        set(limits, "Max stack size", 8L << 20, INFINITY);
        set(limits, "Max core file size", 0, INFINITY);
        set(limits, "Max processes", processes, processes);
        set(limits, "Max open files", 1024, 4096);
        long locked = lockedMemory(System.getProperty("os.version"));
        set(limits, "Max locked memory", locked, locked);
        set(limits, "Max pending signals", processes, processes);
        set(limits, "Max msgqueue size", 819_200, 819_200);
        set(limits, "Max nice priority", 0, 0);
        set(limits, "Max realtime priority", 0, 0);
        return limits;
    }

    /** MLOCK_LIMIT, which has grown in 5.16. */
    static long lockedMemory(String release) {
        String[] numbers = release.split("[^0-9]", 3);
        int major = Integer.parseInt(numbers[0]);
        boolean old = major < 5 || major == 5 && Integer.parseInt(numbers[1]) < 16;
        return old ? 64L << 10 : 8L << 20;
    }

    private static void set(long[] limits, String name, long soft, long hard) {
        limits[2 * RESOURCES.indexOf(name)] = soft;
        limits[2 * RESOURCES.indexOf(name) + 1] = hard;
    }

    /** Without /proc nothing tells it; the limits that follow from it then stay the JVM's. */
    private static long halfOfThreadsMax() {
        try {
            return Long.parseLong(ProcFile.read("/proc/sys/kernel/threads-max")) / 2;
        } catch (IOException | RuntimeException e) {
            return UNKNOWN;
        }
    }
}
