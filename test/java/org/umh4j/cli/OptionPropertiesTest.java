// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
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
                " ",
                "unlimited",
                "\u0661",
                "\0");
        return Arbitraries.oneOf(parts.list().ofMaxSize(5).map(list -> String.join("", list)), Arbitraries.strings());
    }

    @Property
    void anyTextIsParsedOrRejected(@ForAll("texts") String text) {
        List<Function<String, Object>> parsers = List.of(
                NumberParser::number, NumberParser::ids, NumberParser::list, NumberParser::limit, Durations::parse);
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
        assertEquals(number, NumberParser.limit("" + number));
        assertEquals(number << 10, NumberParser.limit(number + "K"));
        assertEquals(number << 20, NumberParser.limit(number + "M"));
        assertEquals(number << 30, NumberParser.limit(number + "G"));
    }

    @Property
    void tooLargeSizeIsRejected(@ForAll @LongRange(min = 1L << 33, max = 999_999_999_999_999_999L) long number) {
        assertThrows(IllegalArgumentException.class, () -> NumberParser.limit(number + "G"));
    }

    @Property
    void rangeContainsEachOfItsNumbers(@ForAll @IntRange(max = 300) int first, @ForAll @IntRange(max = 50) int more) {
        int[] expected =
                java.util.stream.IntStream.rangeClosed(first, first + more).toArray();
        assertArrayEquals(expected, NumberParser.list(first + "-" + (first + more)));
    }

    @Property
    void timeIsItsNumberTimesItsUnit(@ForAll @IntRange(max = 999_999_999) int amount) {
        assertEquals(Duration.ofMillis(amount), Durations.parse(amount + "ms"));
        assertEquals(Duration.ofSeconds(amount), Durations.parse(amount + "s"));
        assertEquals(Duration.ofMinutes(amount), Durations.parse(amount + "m"));
        assertEquals(Duration.ofHours(amount), Durations.parse(amount + "h"));
    }
}
