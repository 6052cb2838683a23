// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.support.HeaderFile;

/** Compares the signals with the C header; parses their names and numbers. */
final class SignalTest {
    @Test
    void signalsEqualTheHeader() throws Exception {
        Map<String, Integer> header =
                HeaderFile.constants("/usr/include/asm-generic/signal.h", "SIG([A-Z0-9]+)\\s+(\\d+)");
        for (Signal signal : Signal.values()) {
            assertEquals(header.get(signal.name()), signal.number(), signal.name());
        }
        assertEquals("SIGRTMIN+3", Signal.name(37));
    }

    @ParameterizedTest
    @CsvSource({"TERM, 15", "SIGTERM, 15", "term, 15", "15, 15", "64, 64", "sigkill, 9"})
    void signalIsParsedFromNameOrNumber(String text, int number) {
        assertEquals(number, Signal.number(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "65", "-1", "NOPE", "SIGSIGTERM", "9999999999"})
    void textWithoutSignalIsRejected(String text) {
        assertThrows(IllegalArgumentException.class, () -> Signal.number(text));
    }
}
