// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.conformance.Recordings;
import org.umh4j.conformance.SysctlWrite;

/** Every recorded write to the sysctl files made again, on a set of our own. */
final class SysctlTextTest {
    static Stream<SysctlWrite> writes() throws IOException {
        List<SysctlWrite> writes = new ArrayList<>();
        for (String kernel : Recordings.KERNELS) {
            writes.addAll(Recordings.writes(kernel));
        }
        return writes.stream();
    }

    @ParameterizedTest
    @MethodSource("writes")
    void answersAndLeavesWhatWasRecorded(SysctlWrite write) {
        // A method has no offset; docs/kernel-map.md says so.
        assumeFalse(write.isAtOffset(), "writes at an offset are a file's");
        assertEquals(write.expected(), write.answer());
    }

    @Test
    void negativeNumberIsReadAndChangesNothing() {
        SysctlText text = SysctlText.parse("-5 1\n");
        assertEquals(5, text.result());
        assertEquals(0x1_ffff_ffffL, text.intersect(0x1ff_ffff_ffffL));
    }

    @Test
    void plusSignIsGarbage() {
        assertEquals(-Errno.EINVAL.number(), SysctlText.parse("+5 1\n").result());
    }
}
