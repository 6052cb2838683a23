// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.nio.charset.StandardCharsets;
import org.umh4j.linux.Errno;

/**
 * The text form of the two sysctl files, read as the kernel reads what is written to them.
 *
 * <p>Up to two unsigned words. Whatever follows the second is left unread, as long as it begins with white space.
 *
 * @param result how many bytes were taken, or a negative errno
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
    /** Only this much of a write is read: PAGE_SIZE - 1, for pages of 4 KiB. */
    private static final int LONGEST_TEXT = 4_095;
    /** The kernel copies no write of this size or more: KMALLOC_MAX_SIZE. */
    private static final int LARGEST_WRITE = 4 << 20;

    static SysctlText parse(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0) {
            return failed(0);
        }
        if (bytes.length >= LARGEST_WRITE) {
            return failed(-Errno.ENOMEM.number());
        }
        int length = Math.min(bytes.length, LONGEST_TEXT);
        String seen = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        long[] words = new long[WORDS];
        int count = 0;
        int at = skipBlanks(seen, 0);
        while (count < WORDS && at < length) {
            int end = endOfNumber(seen, at);
            if (end < 0 || !parseWord(seen.substring(at, end), words, count)) {
                return failed(-Errno.EINVAL.number());
            }
            count++;
            at = skipBlanks(seen, end);
        }
        int unread = length - at; // of the part that is read: the rest of a long write counts as taken
        return count == 0
                ? failed(-Errno.EINVAL.number())
                : new SysctlText(bytes.length - unread, count, words[0], words[1]);
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
        boolean hex = number.startsWith("0x") || number.startsWith("0X");
        int base = hex ? 16 : number.startsWith("0") ? 8 : 10;
        String digits = hex ? number.substring(2) : number;
        if (!digits.chars().allMatch(c -> isDigit(c, base))) {
            return false; // a sign too, and characters that only Java takes for digits
        }
        try {
            words[index] = Long.parseUnsignedLong(digits, base);
            return true;
        } catch (NumberFormatException e) {
            return false; // none, or too many
        }
    }

    private static boolean isDigit(int c, int base) {
        return c < 0x80 && Character.digit(c, base) >= 0;
    }
}
