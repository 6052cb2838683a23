// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.internal.ProcFile;

/** Texts and arithmetic of capability sets. */
final class CapabilitySetTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none | 0000000000000000",
                "cap_chown | 0000000000000001",
                "CHOWN,Cap_Kill | 0000000000000021",
                "cap_bpf , cap_chown | 0000008000000001",
                "0x21 | 0000000000000021",
                "0000008000000001 | 0000008000000001",
                "cap_5 | 0000000000000020",
            })
    void setIsParsedFromEachForm(String text, String hex) {
        CapabilitySet set = CapabilitySet.parse(text);
        assertEquals(hex, set.toHex());
        assertEquals(set, CapabilitySet.parse(set.toString()));
        assertEquals(set, CapabilitySet.parse(set.toHex()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cap_nope", "cap_chown,", ",", "0x", "0xg", "cap_63", "cap_64", "0xffffffffffffffff", "-1"})
    void textWithoutSetIsRejected(String text) {
        assertThrows(IllegalArgumentException.class, () -> CapabilitySet.parse(text));
    }

    @Test
    void allContainsEachCapabilityOfTheKernel() throws Exception {
        int last = Integer.parseInt(ProcFile.read("/proc/sys/kernel/cap_last_cap"));
        assertEquals(last + 1, CapabilitySet.all().size());
        assertEquals("all", CapabilitySet.all().toString());
        assertEquals(CapabilitySet.all(), CapabilitySet.parse("ALL"));
    }

    @Test
    void setsAreAddedSubtractedAndCompared() {
        CapabilitySet two = CapabilitySet.of(Capability.CAP_CHOWN, Capability.CAP_BPF);
        assertEquals("1\t128", two.toSysctlText());
        assertTrue(two.contains(Capability.CAP_BPF));
        assertEquals(CapabilitySet.of(Capability.CAP_CHOWN), two.minus(Capability.CAP_BPF));
        assertEquals(two, two.minus(Capability.CAP_BPF).plus(Capability.CAP_BPF));
        assertTrue(two.intersect(CapabilitySet.of(Capability.CAP_KILL)).isEmpty());
        assertTrue(CapabilitySet.all().containsAll(two));
        assertFalse(two.containsAll(CapabilitySet.all()));
    }
}
