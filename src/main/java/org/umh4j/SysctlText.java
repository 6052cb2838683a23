// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.nio.charset.StandardCharsets;
import org.umh4j.linux.Errno;

/**
 * The text form of the two sysctl files, parsed as the kernel parses a write to them.
 *
 * <p>A text has up to two unsigned words. Text after the second word is not read if white space precedes it.
 *
 * @param result the number of bytes that were consumed, or a negative errno
 * @param words the number of words
 * @param low the first word, of which the lower 32 bits count
 * @param high the second word, of which the lower 32 bits count
 * @implSpec {@code do_proc_doulongvec_minmax()} and {@code proc_get_long()} of {@code kernel/sysctl.c}, Linux 6.12
 */
record SysctlText(int result, int words, long low, long high) {
    private static final int MAX_WORDS = 2;
    private static final int WORD_BITS = 32;
    private static final long LOW_MASK = 0xffff_ffffL;
    /** TMPBUFLEN - 1: the kernel refuses a number of this many characters or more. */
    private static final int NUMBER_LENGTH_LIMIT = 21;
    /** PAGE_SIZE - 1, for pages of 4 KiB: the kernel reads no more of a write. */
    private static final int MAX_READ_BYTES = 4_095;
    /** KMALLOC_MAX_SIZE: the kernel refuses a write of this size or more. */
    private static final int WRITE_SIZE_LIMIT = 4 << 20;

    static SysctlText parse(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0) {
            return failed(0);
        }
        if (bytes.length >= WRITE_SIZE_LIMIT) {
            return failed(-Errno.ENOMEM.number());
        }
        int length = Math.min(bytes.length, MAX_READ_BYTES);
        String readable = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        long[] words = new long[MAX_WORDS];
        int count = 0;
        int position = skipBlanks(readable, 0);
        while (count < MAX_WORDS && position < length) {
            int end = endOfNumber(readable, position);
            if (end < 0 || !parseWord(readable.substring(position, end), words, count)) {
                return failed(-Errno.EINVAL.number());
            }
            count++;
            position = skipBlanks(readable, end);
        }
        int unread = length - position; // bytes beyond MAX_READ_BYTES count as consumed
        return count == 0
                ? failed(-Errno.EINVAL.number())
                : new SysctlText(bytes.length - unread, count, words[0], words[1]);
    }

    /** The intersection of the set and the words. A missing word leaves its half of the set unchanged. */
    long intersect(long set) {
        long upper = words == MAX_WORDS ? high << WORD_BITS : ~LOW_MASK;
        return set & (upper | low & LOW_MASK);
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

    private static int skipBlanks(String text, int start) {
        int end = start;
        while (end < text.length() && isBlank(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** The index of the separator after a number; -1 if the number is too long. */
    private static int endOfNumber(String text, int start) {
        int end = start;
        while (end < text.length() && !isSeparator(text.charAt(end))) {
            end++;
        }
        return end - start < NUMBER_LENGTH_LIMIT ? end : -1;
    }

    private static boolean parseWord(String number, long[] words, int index) {
        boolean hex = number.startsWith("0x") || number.startsWith("0X");
        int base = hex ? 16 : number.startsWith("0") ? 8 : 10;
        String digits = hex ? number.substring(2) : number;
        if (!digits.chars().allMatch(c -> isDigit(c, base))) {
            return false; // parseUnsignedLong would accept a sign, and digits outside of ASCII
        }
        try {
            words[index] = Long.parseUnsignedLong(digits, base);
            return true;
        } catch (NumberFormatException e) {
            return false; // no digit, or more than 64 bits
        }
    }

    private static boolean isDigit(int c, int base) {
        return c < 0x80 && Character.digit(c, base) >= 0;
    }
}
