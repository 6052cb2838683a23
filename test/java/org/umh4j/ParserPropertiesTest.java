// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;

/** The parsers of capability sets and sysctl texts, for any text. */
final class ParserPropertiesTest {
    private static final long LOW = 0xffff_ffffL;

    @Provide
    Arbitrary<CapabilitySet> sets() {
        return Arbitraries.longs()
                .map(bits -> new CapabilitySet(bits & CapabilitySet.all().bits()));
    }

    /** Names, numbers, signs and separators, put together as they come. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> parts = Arbitraries.of(
                "cap_",
                "CAP_",
                "chown",
                "kill",
                "all",
                "none",
                "41",
                "63",
                "64",
                "70",
                "99999999999",
                "0x",
                "0X",
                "+",
                "-",
                ",",
                " ",
                "\n",
                "\t",
                "f",
                "0",
                "1f",
                "08",
                "4294967295",
                "ffffffffffffffff",
                "\u0661",
                "\0");
        return Arbitraries.oneOf(parts.list().ofMaxSize(6).map(list -> String.join("", list)), Arbitraries.strings());
    }

    @Property
    void setIsParsedFromItsText(@ForAll("sets") CapabilitySet set) {
        assertEquals(set, CapabilitySet.parse(set.toString()));
    }

    @Property
    void setIsParsedFromItsHexadecimalDigits(@ForAll("sets") CapabilitySet set) {
        assertEquals(set, CapabilitySet.parse("0x" + Long.toHexString(set.bits())));
        assertEquals(set, CapabilitySet.parse(String.format("%016X", set.bits())));
    }

    @Property
    void anyTextIsASetOrIsRejected(@ForAll("texts") String text) {
        try {
            CapabilitySet set = CapabilitySet.parse(text);
            assertTrue(CapabilitySet.all().containsAll(set), text);
            assertTrue(!text.contains("+"), text);
        } catch (IllegalArgumentException e) {
            assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
        }
    }

    @Property
    void sysctlTextRoundTrips(@ForAll int low, @ForAll int high) {
        SysctlText text = SysctlText.parse((low & LOW) + "\t" + (high & LOW) + "\n");
        assertEquals(2, text.words());
        assertEquals((high & LOW) << 32 | low & LOW, text.intersect(-1L));
    }

    /** For any text: a dropped capability never returns, and a rejected text changes nothing. */
    @Property
    void anySysctlTextNarrowsOrIsRejected(@ForAll("texts") String text, @ForAll long before) {
        SysctlText read = SysctlText.parse(text);
        if (read.result() > 0) {
            assertEquals(0, read.intersect(before) & ~before, text);
            assertTrue(read.result() <= text.length(), text);
        } else {
            assertTrue(read.result() == 0 ? text.isEmpty() : read.result() == -Errno.EINVAL.number(), text);
        }
    }
}
