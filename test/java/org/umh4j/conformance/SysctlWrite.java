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
    /** Whether the result of a recorded write depends on the text. */
    static boolean isOfText(JsonNode recording) {
        return recording.path("scenario").asText().startsWith("sysctl.write");
    }

    /** Whether the result of a recorded write depends on the writer's privilege. */
    static boolean isOfWriter(JsonNode recording) {
        return recording.path("scenario").asText().equals("sysctl.priv") && recording.has("case");
    }

    /** The privilege of the writer, in the words of the recording. */
    String writer() {
        return text("case").replaceFirst("^uid 0,? ", "").replaceFirst(",.*", "");
    }

    /** Whether it was at an offset, which a method does not have. */
    public boolean isAtOffset() {
        return text("case").startsWith("pwrite at offset");
    }

    /** Whether its text has only blanks, more than fit into an argument of a program. */
    boolean isOfManyBlanks() {
        return data().isBlank() && data().length() >= 128 << 10;
    }

    /** The result of the kernel. */
    public SysctlReplay.Result expected() {
        JsonNode write = recording.path("write");
        int result = write.isInt()
                ? write.asInt()
                : -Errno.valueOf(write.asText().substring(1)).number();
        return new SysctlReplay.Result(result, text("after"));
    }

    /** The result of umh4j. */
    public SysctlReplay.Result result() {
        return SysctlReplay.write(text("before"), data());
    }

    /** Makes the same write to the policy of this JVM, with its privilege. None of these writes changes the policy. */
    Field ofThisJvm() {
        String before = policy();
        int result = text("file").equals("bset") ? UmhSysctl.writeBset(data()) : UmhSysctl.writeInheritable(data());
        String expected = expected().result() + " " + before;
        String actual = result + " " + policy();
        return new Field(
                "sysctl", toString(), expected, actual, expected.equals(actual) ? Verdict.EQUAL : Verdict.FAILURE, "");
    }

    private static String policy() {
        return UmhSysctl.bset().toSysctlText() + " " + UmhSysctl.inheritable().toSysctlText();
    }

    /** The text; long texts were recorded by their size and their beginning. */
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
