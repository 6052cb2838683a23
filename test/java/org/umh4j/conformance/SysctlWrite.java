// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import org.umh4j.SysctlReplay;
import org.umh4j.UmhSysctl;
import org.umh4j.conformance.FieldComparison.Field;
import org.umh4j.conformance.FieldComparison.Verdict;
import org.umh4j.linux.Errno;

/** One recorded write to a file of {@code kernel.usermodehelper}. */
public record SysctlWrite(String kernel, JsonNode recording) {
    /** Whether a record is of a write whose text decides. */
    static boolean isOfText(JsonNode recording) {
        return recording.path("scenario").asText().startsWith("sysctl.write");
    }

    /** Whether a record is of a write that depends on who makes it. */
    static boolean isOfWriter(JsonNode recording) {
        return recording.path("scenario").asText().equals("sysctl.priv") && recording.has("case");
    }

    /** What the writer had or had not, as the recording has it. */
    String writer() {
        return text("case").replaceFirst("^uid 0,? ", "").replaceFirst(",.*", "");
    }

    /** Whether it was at an offset, which a method has not. */
    public boolean isAtOffset() {
        return text("case").startsWith("pwrite at offset");
    }

    /** Whether its text is nothing but blanks, more than fit an argument of a program. */
    boolean isOfManyBlanks() {
        return data().isBlank() && data().length() >= 128 << 10;
    }

    /** What the kernel answered. */
    public SysctlReplay.Answer expected() {
        JsonNode write = recording.path("write");
        int result = write.isInt()
                ? write.asInt()
                : -Errno.valueOf(write.asText().substring(1)).number();
        return new SysctlReplay.Answer(result, text("after"));
    }

    /** What umh4j answers. */
    public SysctlReplay.Answer answer() {
        return SysctlReplay.write(text("before"), data());
    }

    /** The same write to the policy of this JVM, which has the privilege that it has. None of these changes anything. */
    Field ofThisJvm() {
        String before = policy();
        int result = text("file").equals("bset") ? UmhSysctl.writeBset(data()) : UmhSysctl.writeInheritable(data());
        String there = expected().result() + " " + before;
        String here = result + " " + policy();
        return new Field("sysctl", toString(), there, here, there.equals(here) ? Verdict.EQUAL : Verdict.FAILURE, "");
    }

    private static String policy() {
        return UmhSysctl.bset().toSysctlText() + " " + UmhSysctl.inheritable().toSysctlText();
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
