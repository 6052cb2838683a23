// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.linux.CapabilitySet;

/** Makes a write to {@code kernel.usermodehelper} on a separate set, since the policy of a JVM never widens. */
public final class SysctlReplay {
    /** The result of a write, and the content of the file after it. */
    public record Result(int result, String after) {}

    private SysctlReplay() {}

    /** Makes a write; {@code before} is the content of the file, two words. */
    public static Result write(String before, String data) {
        SysctlText text = SysctlText.parse(data);
        long set = set(before);
        return new Result(
                text.result(), new CapabilitySet(text.result() > 0 ? text.intersect(set) : set).toSysctlText());
    }

    private static long set(String words) {
        String[] both = words.trim().split("\\s+");
        return Long.parseLong(both[1]) << 32 | Long.parseLong(both[0]);
    }
}
