// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import org.umh4j.Errno;
import org.umh4j.SysctlReplay;

/** One recorded write to a file of {@code kernel.usermodehelper}. */
public record SysctlWrite(String kernel, JsonNode recording) {
    /** Whether a record is of a write whose text decides; others are of who may read and write. */
    static boolean is(JsonNode recording) {
        return recording.path("scenario").asText().startsWith("sysctl.write");
    }

    /** Whether it was at an offset, which a method has not. */
    public boolean isAtOffset() {
        return text("case").startsWith("pwrite at offset");
    }

    /** Whether its text can be an argument of a program: at most 128 KiB. */
    boolean fitsAnArgument() {
        return data().length() < 128 << 10;
    }

    /** What the kernel answered. */
    public SysctlReplay.Answer expected() {
        JsonNode write = recording.path("write");
        int result = write.isInt() ? write.asInt() : -Errno.valueOf(write.asText().substring(1)).number();
        return new SysctlReplay.Answer(result, text("after"));
    }

    /** What umh4j answers. */
    public SysctlReplay.Answer answer() {
        return SysctlReplay.write(text("before"), data());
    }

    /** Long ones were recorded by their size and their beginning. */
    String data() {
        String recorded = text("data");
        if (recorded.startsWith("(8001 bytes)")) {
            return "9".repeat(8000) + "\n";
        }
        return recorded.startsWith("(8388608 bytes)") ? " ".repeat(8 << 20) : recorded;
    }

    private String text(String name) {
        return recording.path(name).asText();
    }

    @Override
    public String toString() {
        return kernel + " " + text("file") + ": " + text("case");
    }
}
