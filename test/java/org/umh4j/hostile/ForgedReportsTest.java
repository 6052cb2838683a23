// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.umh4j.support.NativeProgram;

/** Reports on the plan socket that the launcher has not sent, and descriptors that come with them. */
final class ForgedReportsTest {
    @Test
    void onlyReportsOfTheLauncherAreAccepted() throws Exception {
        String program = NativeProgram.compileWithShim("words");
        Process process = new ProcessBuilder(program).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertEquals(0, process.waitFor(), out);
        assertEquals(9, out.lines().count(), out);
        assertEquals(
                List.of(), out.lines().filter(line -> !line.endsWith(": ok")).toList());
    }
}
