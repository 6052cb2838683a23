// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.time.Duration;
import java.util.Objects;

/**
 * What a helper, and those of its children that it waited for, have used up: {@code struct rusage}.
 *
 * <p>The peak of memory is not among it. For a process that was made by another without copying its memory the kernel
 * counts that one's peak too, so the number would be the JVM's.
 *
 * @param userTime time in the program
 * @param systemTime time in the kernel for it
 * @param minorFaults page faults without disk
 * @param majorFaults page faults with disk
 * @param inputBlocks blocks of 512 bytes read
 * @param outputBlocks blocks of 512 bytes written
 * @param voluntaryContextSwitches times that it waited for something
 * @param involuntaryContextSwitches times that somebody else had the cpu
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
    /** No component may be null. */
    public ResourceUsage {
        Objects.requireNonNull(userTime, "userTime");
        Objects.requireNonNull(systemTime, "systemTime");
    }
}
