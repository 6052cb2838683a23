// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.conformance.Recordings;
import org.umh4j.conformance.SysctlWrite;
import org.umh4j.linux.Errno;

/** Each recorded write to the sysctl files is repeated on a separate set of values. */
final class SysctlTextTest {
    static Stream<SysctlWrite> writes() throws IOException {
        List<SysctlWrite> writes = new ArrayList<>();
        for (String kernel : Recordings.KERNELS) {
            writes.addAll(Recordings.writes(kernel));
        }
        // A method has no offset; see docs/differences.md.
        return writes.stream().filter(write -> !write.isAtOffset());
    }

    @ParameterizedTest
    @MethodSource("writes")
    void writeHasTheRecordedResultAndValue(SysctlWrite write) {
        assertEquals(write.expected(), write.result());
    }

    private static final int EINVAL = -Errno.EINVAL.number();

    /** Numbers of Java's parsers or of strtoul(3) that are none for the kernel. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-5 1",
                "-0",
                "0 -0",
                "-",
                "- 5",
                "-0x1",
                "-18446744073709551615",
                "+5 1",
                "5 +1",
                "0x",
                "0x 1",
                "0X",
                "0xg",
                "0x-5",
                "0x+5",
                "08",
                "019 1",
                "0b1",
                "1_0",
                "1e3",
                "1.0",
                "5\0",
                "\0005",
                "1 2\0",
                "5\0 1",
                "5\u000b1",
                "5\r\n",
                "\u0665 \u0661",
                "\u00a05",
                "5\u00a01",
                "\uff15",
                "1,2",
                "000000000000000000001",
                "0x00000000000000000ff",
                "18446744073709551616",
                "0x1ffffffffffffffff",
                "02000000000000000000000",
                "1 18446744073709551616",
                "\ud800"
            })
    void textThatIsNoNumberToTheKernelIsRefused(String text) {
        assertEquals(EINVAL, SysctlText.parse(text).result());
        if (text.indexOf(' ') < 0) { // else there is a third word, which is left unread
            assertEquals(EINVAL, SysctlText.parse("1 " + text).result(), "as the second word too");
        }
    }

    @Test
    void eachNumberOfTheKernelIsAccepted() {
        String[] numbers = {
            "0",
            "00",
            "10",
            "012",
            "0xa",
            "0XA",
            "0x0A",
            "18446744073709551615",
            "0xffffffffffffffff",
            "01777777777777777777",
            "00000000000000000010",
            "0x0000000000000000aa"
        };
        long[] values = {0, 0, 10, 10, 10, 10, 10, -1, -1, 01777777777777777777L, 8, 0xaa};
        for (int i = 0; i < numbers.length; i++) {
            for (String after : new String[] {"", " ", "\t", "\n", " \u000b\f\r "}) {
                SysctlText text = SysctlText.parse(numbers[i] + after);
                assertEquals(numbers[i].length() + after.length(), text.result(), numbers[i]);
                assertEquals(values[i], text.low(), numbers[i]);
            }
        }
    }

    @Test
    void onlyTheFirstPageIsParsed() {
        String blanks = " ".repeat(4_094);
        assertEquals(4_095, SysctlText.parse(blanks + "7").result());
        assertEquals(EINVAL, SysctlText.parse(blanks + " 7").result(), "the number is behind the page");
        SysctlText cut = SysctlText.parse("1" + blanks + "garbage");
        assertEquals(1 + blanks.length() + "garbage".length(), cut.result(), "what is behind the page counts as taken");
        assertEquals(1, cut.words());
        assertEquals(
                5_000 - (4_095 - 4),
                SysctlText.parse("1 2 " + "x".repeat(4_996)).result());
    }

    /** Against another reading of the same grammar: an expression. */
    @Test
    void randomTextIsAcceptedIfItFitsTheGrammar() {
        Random random = new Random(13);
        String pieces = "0123456789abcxXfF+-_. \t\n\u000b\0";
        Pattern number = Pattern.compile("0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*");
        for (int i = 0; i < 200_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(8) + 1; j > 0; j--) {
                text.append(pieces.charAt(random.nextInt(pieces.length())));
            }
            assertEquals(
                    isTaken(text.toString(), number),
                    SysctlText.parse(text.toString()).result() > 0,
                    () -> "'" + text + "'");
        }
    }

    private static boolean isTaken(String text, Pattern number) {
        String[] words =
                text.replaceFirst("^[ \t\n\u000b\f\r]+", "").split("(?<=[^ \t\n])[ \t\n][ \t\n\u000b\f\r]*", 3);
        return !words[0].isEmpty()
                && number.matcher(words[0]).matches()
                && (words.length < 2
                        || words[1].isEmpty()
                        || number.matcher(words[1]).matches());
    }
}
