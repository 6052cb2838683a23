// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * The text form of the two sysctl files, read as the kernel reads what is written to them.
 *
 * <p>Up to two unsigned words. Whatever follows the second is left unread, as long as it begins with white space.
 *
 * @param result how many characters were taken, or a negative errno
 * @param words how many words there were
 * @param low the first word, of which 32 bits count
 * @param high the second word, of which 32 bits count
 * @implSpec {@code do_proc_doulongvec_minmax()} and {@code proc_get_long()} of {@code kernel/sysctl.c}, Linux 6.12
 */
record SysctlText(int result, int words, long low, long high) {
    private static final int WORDS = 2;
    private static final int WORD = 32;
    private static final long LOW = 0xffff_ffffL;
    /** A number of so many characters is refused unread: TMPBUFLEN - 1. */
    private static final int LONGEST_NUMBER = 21;
    /** As much or more is not taken into the kernel at all: KMALLOC_MAX_SIZE. */
    private static final int LARGEST_WRITE = 4 << 20;

    static SysctlText parse(String text) {
        if (text.isEmpty()) {
            return failed(0);
        }
        if (text.length() >= LARGEST_WRITE) {
            return failed(-Errno.ENOMEM.number());
        }
        long[] words = new long[WORDS];
        int count = 0;
        int at = skipBlanks(text, 0);
        while (count < WORDS && at < text.length()) {
            int end = endOfNumber(text, at);
            if (end < 0 || !parseWord(text.substring(at, end), words, count)) {
                return failed(-Errno.EINVAL.number());
            }
            count++;
            at = skipBlanks(text, end);
        }
        return count == 0 ? failed(-Errno.EINVAL.number()) : new SysctlText(at, count, words[0], words[1]);
    }

    /** The bits of the set that the words leave; a word that was not given leaves its half alone. */
    long intersect(long set) {
        long upper = words == WORDS ? high << WORD : ~LOW;
        return set & (upper | low & LOW);
    }

    private static SysctlText failed(int result) {
        return new SysctlText(result, 0, 0, 0);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c >= '\t' && c <= '\r';
    }

    private static boolean isSeparator(char c) {
        return c == ' ' || c == '\t' || c == '\n';
    }

    private static int skipBlanks(String text, int at) {
        int end = at;
        while (end < text.length() && isBlank(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** The end of a number and nothing else; -1 when there is something else. */
    private static int endOfNumber(String text, int at) {
        int end = at;
        while (end < text.length() && !isSeparator(text.charAt(end))) {
            end++;
        }
        return end - at < LONGEST_NUMBER ? end : -1;
    }

    private static boolean parseWord(String number, long[] words, int index) {
        try {
            if (number.startsWith("-")) {
                Long.parseUnsignedLong(digits(number.substring(1)));
                words[index] = -1; // the kernel reads a negative number and leaves the word alone
            } else if (number.startsWith("0x") || number.startsWith("0X")) {
                words[index] = Long.parseUnsignedLong(digits(number.substring(2)), 16);
            } else if (number.length() > 1 && number.startsWith("0")) {
                words[index] = Long.parseUnsignedLong(digits(number.substring(1)), 8);
            } else {
                words[index] = Long.parseUnsignedLong(digits(number), 10);
            }
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** Java takes a plus sign for part of a number; the kernel does not. */
    private static String digits(String text) {
        if (text.startsWith("+")) {
            throw new NumberFormatException(text);
        }
        return text;
    }
}
