// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Rlimit;

/** Numbers as people write them. */
final class NumberParser {
    private NumberParser() {}

    /** A number without a sign. */
    static long number(String text) {
        if (!text.matches("\\d{1,18}")) {
            throw new IllegalArgumentException("not a number: '" + text + "'");
        }
        return Long.parseLong(text);
    }

    static int integer(String text) {
        long number = number(text);
        if (number > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("too large: '" + text + "'");
        }
        return (int) number;
    }

    /** The 32 bits of an option. */
    static int hexadecimal(String option, String text) {
        String digits = text.replaceFirst("^0[xX]", "");
        if (!digits.matches("[0-9a-fA-F]{1,8}")) {
            throw new IllegalArgumentException(option + " " + text + ": not hexadecimal");
        }
        return Integer.parseUnsignedInt(digits, 16);
    }

    /** One id three times, or three of the form R:E:S; null for a name. */
    static long @Nullable [] ids(String text) {
        if (!text.matches("[0-9:]+")) {
            return null;
        }
        String[] parts = text.split(":", -1);
        if (parts.length != 1 && parts.length != 3) {
            throw new IllegalArgumentException("not an id, nor three as R:E:S: '" + text + "'");
        }
        return IntStream.range(0, 3)
                .mapToLong(i -> number(parts[parts.length == 1 ? 0 : i]))
                .toArray();
    }

    /** A list such as {@code 0,2-3}. */
    static int[] list(String text) {
        return java.util.Arrays.stream(text.split(",", -1))
                .flatMapToInt(NumberParser::range)
                .toArray();
    }

    private static IntStream range(String text) {
        int dash = text.indexOf('-');
        long first = number(dash < 0 ? text : text.substring(0, dash));
        long last = dash < 0 ? first : number(text.substring(dash + 1));
        if (last < first || last > 0xffff) {
            throw new IllegalArgumentException("not a range: '" + text + "'");
        }
        return IntStream.rangeClosed((int) first, (int) last);
    }

    /** A limit: a number, with K, M or G for powers of 1024, or {@code unlimited}. */
    static long limit(String text) {
        if (text.equals("unlimited") || text.equals("infinity")) {
            return Rlimit.INFINITY;
        }
        int shift = " KMG".indexOf(text.isEmpty() ? ' ' : text.charAt(text.length() - 1)) * 10;
        long value = number(shift > 0 ? text.substring(0, text.length() - 1) : text);
        if (shift > 0 && value > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("too large: '" + text + "'");
        }
        return shift > 0 ? value << shift : value;
    }
}
