// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.support.HeaderFile;

/** Compares the capabilities with the C header. */
final class CapabilityTest {
    @Test
    void capabilitiesEqualTheHeaders() throws Exception {
        Map<String, Integer> header =
                HeaderFile.constants("/usr/include/linux/capability.h", "(CAP_[A-Z_]+)\\s+(\\d+)");
        header.remove("CAP_LAST_CAP");
        Map<String, Integer> constants = new HashMap<>();
        for (Capability capability : Capability.values()) {
            constants.put(capability.name(), capability.number());
        }
        assertEquals(new TreeMap<>(header), new TreeMap<>(constants));
    }
}
