// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Numbers, sizes, lists and times of the command line, for any text. */
final class OptionPropertiesTest {
    /** Digits, units and separators, put together as they come. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> parts = Arbitraries.of(
                "0",
                "7",
                "65535",
                "65536",
                "2147483648",
                "999999999999999999",
                "9223372036854775808",
                "K",
                "M",
                "G",
                "ms",
                "s",
                "m",
                "h",
                "-",
                ",",
                ":",
                "+",
                "=",
                "fifo",
                "idle",
                "nofile",
                "net",
                "inherit",
                "TERM",
                "ro",
                " ",
                "unlimited",
                "\u0661",
                "\0");
        return Arbitraries.oneOf(parts.list().ofMaxSize(5).map(list -> String.join("", list)), Arbitraries.strings());
    }

    @Property
    void anyTextIsParsedOrRejected(@ForAll("texts") String text) {
        List<Function<String, Object>> parsers = List.of(
                NumberParser::number,
                NumberParser::integer,
                NumberParser::signedInteger,
                NumberParser::hexadecimal,
                DescriptorSource::parse,
                new CallOptions.VariableConverter()::parse,
                new CallOptions.PersonalityConverter()::parse,
                new CapabilitySetConverter()::parse,
                new CapabilityOptions.SecurebitConverter()::parse,
                new DescriptorOptions.NumberConverter()::parse,
                new DirectoryOptions.UmaskConverter()::parse,
                new DurationConverter()::parse,
                new IdentityOptions.IdConverter()::parse,
                new IdentityOptions.GroupListConverter()::parse,
                new LimitOptions.RlimitConverter()::parse,
                new LimitOptions.OomScoreAdjConverter()::parse,
                new LimitOptions.CoredumpFilterConverter()::parse,
                new NamespaceOptions.NamespaceConverter()::parse,
                new NamespaceOptions.JoinConverter()::parse,
                new NamespaceOptions.IdRangeConverter()::parse,
                new SandboxOptions.LandlockRuleConverter()::parse,
                new SchedulingOptions.PolicyConverter()::parse,
                new SchedulingOptions.NiceConverter()::parse,
                new SchedulingOptions.CpuListConverter()::parse,
                new SchedulingOptions.IoPriorityConverter()::parse,
                new SchedulingOptions.TimerSlackConverter()::parse,
                new SessionOptions.SignalConverter()::parse,
                new SessionOptions.DeathSignalConverter()::parse,
                new UnappliedOptions.StageConverter()::parse);
        for (Function<String, Object> parser : parsers) {
            try {
                parser.apply(text);
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
            }
        }
    }

    @Property
    void sizeIsItsNumberTimesItsUnit(@ForAll @LongRange(min = 0, max = 999_999_999) long number) {
        assertEquals(number, LimitOptions.RlimitConverter.size("" + number));
        assertEquals(number << 10, LimitOptions.RlimitConverter.size(number + "K"));
        assertEquals(number << 20, LimitOptions.RlimitConverter.size(number + "M"));
        assertEquals(number << 30, LimitOptions.RlimitConverter.size(number + "G"));
    }

    @Property
    void tooLargeSizeIsRejected(@ForAll @LongRange(min = 1L << 33, max = 999_999_999_999_999_999L) long number) {
        assertThrows(IllegalArgumentException.class, () -> LimitOptions.RlimitConverter.size(number + "G"));
    }

    @Property
    void rangeContainsEachOfItsNumbers(@ForAll @IntRange(max = 300) int first, @ForAll @IntRange(max = 50) int more) {
        int[] expected =
                java.util.stream.IntStream.rangeClosed(first, first + more).toArray();
        BitSet parsed = new SchedulingOptions.CpuListConverter().parse(first + "-" + (first + more));
        assertArrayEquals(expected, parsed.stream().toArray());
    }

    @Property
    void timeIsItsNumberTimesItsUnit(@ForAll @IntRange(max = 999_999_999) int amount) {
        assertEquals(Duration.ofMillis(amount), new DurationConverter().parse(amount + "ms"));
        assertEquals(Duration.ofSeconds(amount), new DurationConverter().parse(amount + "s"));
        assertEquals(Duration.ofMinutes(amount), new DurationConverter().parse(amount + "m"));
        assertEquals(Duration.ofHours(amount), new DurationConverter().parse(amount + "h"));
    }
}
