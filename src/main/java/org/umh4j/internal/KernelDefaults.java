// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.util.Arrays;
import org.umh4j.linux.Rlimit;

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

    private static final long UNKNOWN = -2;
    private static final long PF_KTHREAD = 0x0020_0000;
    private static final String KTHREADD = "/proc/2";

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
            return isKthreadd() ? Rlimit.parseProcLimits(ProcFile.read(KTHREADD + "/limits")) : computed();
        } catch (IOException | RuntimeException e) {
            return computed();
        }
    }

    private static boolean isKthreadd() throws IOException {
        String stat = ProcFile.read(KTHREADD + "/stat");
        return stat.startsWith("2 (kthreadd)") && (Long.parseLong(ProcFile.fields(stat)[6]) & PF_KTHREAD) != 0;
    }

    /** INIT_RLIMITS of asm-generic/resource.h, and what fork_init() of kernel/fork.c makes of two of them. */
    private static long[] computed() {
        long processes = halfOfThreadsMax();
        long[] limits = new long[2 * Rlimit.values().length];
        Arrays.fill(limits, Rlimit.INFINITY);
        set(limits, Rlimit.STACK, 8L << 20, Rlimit.INFINITY);
        set(limits, Rlimit.CORE, 0, Rlimit.INFINITY);
        set(limits, Rlimit.NPROC, processes, processes);
        set(limits, Rlimit.NOFILE, 1024, 4096);
        long locked = lockedMemory(System.getProperty("os.version"));
        set(limits, Rlimit.MEMLOCK, locked, locked);
        set(limits, Rlimit.SIGPENDING, processes, processes);
        set(limits, Rlimit.MSGQUEUE, 819_200, 819_200);
        set(limits, Rlimit.NICE, 0, 0);
        set(limits, Rlimit.RTPRIO, 0, 0);
        return limits;
    }

    /** MLOCK_LIMIT, which has grown in 5.16. */
    static long lockedMemory(String release) {
        String[] numbers = release.split("[^0-9]", 3);
        int major = Integer.parseInt(numbers[0]);
        boolean old = major < 5 || major == 5 && Integer.parseInt(numbers[1]) < 16;
        return old ? 64L << 10 : 8L << 20;
    }

    private static void set(long[] limits, Rlimit rlimit, long soft, long hard) {
        limits[2 * rlimit.ordinal()] = soft;
        limits[2 * rlimit.ordinal() + 1] = hard;
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
