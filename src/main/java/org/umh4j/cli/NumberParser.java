// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

/** Numbers in the values of options. */
final class NumberParser {
    private NumberParser() {}

    /** Parses 1 to 18 decimal digits. */
    static long number(String text) {
        if (!text.matches("[0-9]{1,18}")) {
            throw new IllegalArgumentException("'" + text + "' is not a number of 1 to 18 digits");
        }
        return Long.parseLong(text);
    }

    /** Parses a number from 0 to 2147483647. */
    static int integer(String text) {
        return inRange(text, 0, number(text));
    }

    /** Parses a number from -2147483647 to 2147483647. */
    static int signedInteger(String text) {
        return text.startsWith("-")
                ? -inRange(text, -Integer.MAX_VALUE, number(text.substring(1)))
                : inRange(text, -Integer.MAX_VALUE, number(text));
    }

    private static int inRange(String text, int smallest, long size) {
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("'" + text + "' is not in " + smallest + " to " + Integer.MAX_VALUE);
        }
        return (int) size;
    }

    /** Parses 1 to 8 hexadecimal digits, with or without {@code 0x}. */
    static int hexadecimal(String text) {
        String digits = text.replaceFirst("^0[xX]", "");
        if (!digits.matches("[0-9a-fA-F]{1,8}")) {
            throw new IllegalArgumentException("'" + text + "' is not hexadecimal from 0 to ffffffff");
        }
        return Integer.parseUnsignedInt(digits, 16);
    }
}
