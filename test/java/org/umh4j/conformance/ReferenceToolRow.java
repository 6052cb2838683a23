// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.umh4j.SubprocessInfo;
import org.umh4j.support.ProbeProgram;

/** One attribute: how a task requests it, the tool and its options that set it, and the field that shows it. */
record ReferenceToolRow(
        String shown,
        Consumer<SubprocessInfo> asked,
        List<String> tool,
        Consumer<SubprocessInfo> born,
        Map<String, String> unequal) {
    /** Fields that differ between any two helpers. */
    private static final Map<String, String> NEVER = Map.of(
            "keyrings.session.id", "each has a session keyring of its own",
            "status.SigQ", "counts the signals that are queued for all processes of the user",
            "status.voluntary_ctxt_switches", "the tool has waited for files of its own",
            "status.nonvoluntary_ctxt_switches", "the tool has run for a while");

    private static final Consumer<SubprocessInfo> PLAIN = info -> {};
    private static final String PROBE = ProbeProgram.path();

    /** The tool does not begin as a plain helper. */
    ReferenceToolRow from(Consumer<SubprocessInfo> state) {
        return new ReferenceToolRow(shown, asked, tool, state, unequal);
    }

    ReferenceToolRow except(String reason, String... fields) {
        Map<String, String> more = new HashMap<>(unequal);
        Stream.of(fields).forEach(field -> more.put(field, reason));
        return new ReferenceToolRow(shown, asked, tool, born, more);
    }

    @Override
    public String toString() {
        return String.join(" ", tool);
    }

    static ReferenceToolRow row(String shown, Consumer<SubprocessInfo> asked, String... tool) {
        List<String> command = new ArrayList<>(List.of(tool));
        command.addAll(List.of(PROBE, "--fd", "1"));
        return new ReferenceToolRow(shown, asked, command, PLAIN, NEVER);
    }

    static ReferenceToolRow capsh(String shown, Consumer<SubprocessInfo> asked, String... options) {
        List<String> command = new ArrayList<>(List.of("capsh"));
        command.addAll(List.of(options));
        command.addAll(List.of("--shell=" + PROBE, "--", "--fd", "1"));
        return new ReferenceToolRow(shown, asked, command, PLAIN, NEVER);
    }

    static ReferenceToolRow shell(String shown, Consumer<SubprocessInfo> asked, String commands) {
        return row(shown, asked, "sh", "-c", commands + "; exec \"$0\" \"$@\"")
                .except("a shell exports where it is", "envp");
    }
}
