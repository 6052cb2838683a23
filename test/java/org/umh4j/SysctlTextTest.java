// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.support.Report;

/** Every recorded write to the sysctl files made again, on a set of our own. */
final class SysctlTextTest {
    /** One write. */
    record Write(String kernel, JsonNode recording) {
        @Override
        public String toString() {
            return kernel + " " + recording.path("file").asText() + ": " + recording.path("case").asText();
        }
    }

    static Stream<Write> writes() throws IOException {
        List<Write> writes = new ArrayList<>();
        for (String kernel : List.of("6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64")) {
            for (JsonNode recording : Report.expected("kernel-truth/sysctl-" + kernel + ".json").path("cases")) {
                if (recording.path("scenario").asText().startsWith("sysctl.write")) {
                    writes.add(new Write(kernel, recording));
                }
            }
        }
        return writes.stream();
    }

    @ParameterizedTest
    @MethodSource("writes")
    void answersAndLeavesWhatWasRecorded(Write write) {
        JsonNode recording = write.recording();
        // A method has no offset; docs/kernel-map.md says so.
        assumeFalse(recording.path("case").asText().startsWith("pwrite at offset"), "writes at an offset are a file's");
        long before = set(recording.path("before").asText());
        SysctlText text = SysctlText.parse(data(recording.path("data").asText()));
        assertEquals(result(recording.path("write")), text.result());
        long after = text.result() > 0 ? text.intersect(before) : before;
        assertEquals(recording.path("after").asText(), new CapabilitySet(after).toWords());
    }

    /** Long ones were recorded by their size and their beginning. */
    private static String data(String recorded) {
        if (recorded.startsWith("(8001 bytes)")) {
            return "9".repeat(8000) + "\n";
        }
        if (recorded.startsWith("(8388608 bytes)")) {
            return " ".repeat(8 << 20);
        }
        return recorded;
    }

    private static int result(JsonNode write) {
        return write.isInt() ? write.asInt() : -Errno.valueOf(write.asText().substring(1)).number();
    }

    private static long set(String words) {
        String[] both = words.trim().split("\\s+");
        return Long.parseLong(both[1]) << 32 | Long.parseLong(both[0]);
    }

    @Test
    void negativeNumberIsReadAndChangesNothing() {
        SysctlText text = SysctlText.parse("-5 1\n");
        assertEquals(5, text.result());
        assertEquals(0x1_ffff_ffffL, text.intersect(0x1ff_ffff_ffffL));
    }

    @Test
    void plusSignIsGarbage() {
        assertEquals(-Errno.EINVAL.number(), SysctlText.parse("+5 1\n").result());
    }
}
