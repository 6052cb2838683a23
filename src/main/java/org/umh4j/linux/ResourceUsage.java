// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.time.Duration;
import java.util.Objects;

/**
 * The resources used by a helper and by those of its children that it waited for: {@code struct rusage}.
 *
 * <p>The maximum resident set size, {@code ru_maxrss}, is left out. A process that is created without a copy of its
 * parent's memory inherits the parent's maximum, so the number would be the JVM's.
 *
 * @param userTime CPU time in user mode, {@code ru_utime}
 * @param systemTime CPU time in kernel mode, {@code ru_stime}
 * @param minorFaults page faults without I/O, {@code ru_minflt}
 * @param majorFaults page faults with I/O, {@code ru_majflt}
 * @param inputBlocks blocks of 512 bytes read by the file system, {@code ru_inblock}
 * @param outputBlocks blocks of 512 bytes written by the file system, {@code ru_oublock}
 * @param voluntaryContextSwitches context switches because the process waited, {@code ru_nvcsw}
 * @param involuntaryContextSwitches context switches because another process got the CPU, {@code ru_nivcsw}
 */
public record ResourceUsage(
        Duration userTime,
        Duration systemTime,
        long minorFaults,
        long majorFaults,
        long inputBlocks,
        long outputBlocks,
        long voluntaryContextSwitches,
        long involuntaryContextSwitches) {
    /** Creates a value. No duration may be null. */
    public ResourceUsage {
        Objects.requireNonNull(userTime, "userTime");
        Objects.requireNonNull(systemTime, "systemTime");
    }
}
