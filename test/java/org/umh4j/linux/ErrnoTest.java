// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.support.HeaderFile;

/** Compares the errnos with the C headers. */
final class ErrnoTest {
    @Test
    void errnosEqualTheHeaders() throws Exception {
        Map<String, Integer> header =
                HeaderFile.constants("/usr/include/asm-generic/errno-base.h", "(E[A-Z0-9]+)\\s+(\\d+)");
        header.putAll(HeaderFile.constants("/usr/include/asm-generic/errno.h", "(E[A-Z0-9]+)\\s+(\\d+)"));
        Map<String, Integer> constants = new HashMap<>();
        for (Errno errno : Errno.values()) {
            constants.put(errno.name(), errno.number());
            assertEquals(errno, Errno.of(errno.number()));
        }
        assertEquals(new TreeMap<>(header), new TreeMap<>(constants));
        assertEquals("errno 4711", Errno.name(4711));
    }
}
