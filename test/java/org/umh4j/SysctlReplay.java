// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.linux.CapabilitySet;

/** Makes a write to {@code kernel.usermodehelper} on a set of its own, since the policy of a JVM never widens. */
public final class SysctlReplay {
    /** What a write answers, and the file's content afterwards. */
    public record Answer(int result, String after) {}

    private SysctlReplay() {}

    /** The content before is two words, as the file has it. */
    public static Answer write(String before, String data) {
        SysctlText text = SysctlText.parse(data);
        long set = set(before);
        return new Answer(
                text.result(), new CapabilitySet(text.result() > 0 ? text.intersect(set) : set).toSysctlText());
    }

    private static long set(String words) {
        String[] both = words.trim().split("\\s+");
        return Long.parseLong(both[1]) << 32 | Long.parseLong(both[0]);
    }
}
