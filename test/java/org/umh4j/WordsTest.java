// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.umh4j.support.NativeProgram;

/** Words on the plan socket that its launcher has not said, and descriptors that come with them. */
final class WordsTest {
    @Test
    void onlyTheLaunchersOwnWordIsHeardAndWhatComesAlongIsClosed() throws Exception {
        String program = NativeProgram.compile("words", "umh_outcome.c", "umh_report.c", "umh_socket.c", "umh_wait.c", "umh_reaper.c");
        Process process = new ProcessBuilder(program).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertEquals(0, process.waitFor(), out);
        assertEquals(9, out.lines().count(), out);
        assertEquals(List.of(), out.lines().filter(line -> !line.endsWith(": ok")).toList());
    }
}
