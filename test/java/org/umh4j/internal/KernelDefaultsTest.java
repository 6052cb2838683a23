// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.umh4j.linux.Rlimit;

/** The sources of a helper's limits; on a current kernel both agree. */
final class KernelDefaultsTest {
    /** A kernel of 5.10, whose kthreadd may lock 64 KiB. */
    private static final String TABLE = """
            Limit                     Soft Limit           Hard Limit           Units
            Max cpu time              unlimited            unlimited            seconds
            Max file size             unlimited            unlimited            bytes
            Max data size             unlimited            unlimited            bytes
            Max stack size            8388608              unlimited            bytes
            Max core file size        0                    unlimited            bytes
            Max resident set          unlimited            unlimited            bytes
            Max processes             5551                 5551                 processes
            Max open files            1024                 4096                 files
            Max locked memory         65536                65536                bytes
            Max address space         unlimited            unlimited            bytes
            Max file locks            unlimited            unlimited            locks
            Max pending signals       5551                 5551                 signals
            Max msgqueue size         819200               819200               bytes
            Max nice priority         0                    0
            Max realtime priority     0                    0
            Max realtime timeout      unlimited            unlimited            us
            """;

    @Test
    void eachLimitOfTheTableIsRead() {
        long[] expected = {
            -1, -1, -1, -1, -1, -1, 8 << 20, -1, 0, -1, -1, -1, 5551, 5551, 1024, 4096, 65_536, 65_536, -1, -1, -1, -1,
            5551, 5551, 819_200, 819_200, 0, 0, 0, 0, -1, -1
        };
        assertArrayEquals(expected, Rlimit.parseProcLimits(TABLE));
    }

    @Test
    void memlockDefaultFollowsTheKernelsVersion() {
        assertEquals(64 << 10, KernelDefaults.lockedMemory("5.10.0-46-cloud-amd64"));
        assertEquals(64 << 10, KernelDefaults.lockedMemory("4.19.0"));
        assertEquals(8 << 20, KernelDefaults.lockedMemory("5.16.0"));
        assertEquals(8 << 20, KernelDefaults.lockedMemory("6.12.117+deb12-cloud-amd64"));
    }

    @Test
    void tableOfThisKernelIsRead() throws IOException {
        long[] limits = Rlimit.parseProcLimits(ProcFile.read("/proc/self/limits"));
        for (int resource = 0; resource < limits.length / 2; resource++) {
            assertTrue(limits[2 * resource] >= -1, "resource " + resource);
        }
    }
}
