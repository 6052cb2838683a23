// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.util.Arrays;
import org.umh4j.linux.Rlimit;

/**
 * The attributes that a helper of the kernel inherits from kthreadd.
 *
 * <p>The resource limits are read from {@code /proc/2/limits} if pid 2 is kthreadd. In a pid namespace it is not; the
 * limits are then computed as the kernel does at boot.
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

    /** Returns the environment that the kernel gives to modprobe; each time a new array. */
    public static String[] environment() {
        return new String[] {"HOME=/", "TERM=linux", "PATH=/sbin:/usr/sbin:/bin:/usr/bin"};
    }

    /** Adds every known limit of kthreadd to the plan. */
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
        return stat.startsWith("2 (kthreadd)") && (Long.parseLong(ProcFile.statFields(stat)[6]) & PF_KTHREAD) != 0;
    }

    /**
     * Returns INIT_RLIMITS of asm-generic/resource.h, with NPROC and SIGPENDING as fork_init() of kernel/fork.c sets
     * them.
     */
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

    /** Returns MLOCK_LIMIT: 64 KiB before Linux 5.16, 8 MiB since. */
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

    /** Returns half of threads-max. Without /proc it is unknown, and the limits that depend on it stay the JVM's. */
    private static long halfOfThreadsMax() {
        try {
            return Long.parseLong(ProcFile.read("/proc/sys/kernel/threads-max")) / 2;
        } catch (IOException | RuntimeException e) {
            return UNKNOWN;
        }
    }
}
