// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.umh4j.linux.CapabilitySet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code umh caps}: prints a capability set in all its text forms. */
@Command(
        name = "caps",
        description = "Prints a capability set as names, as hexadecimal and as the two words of"
                + " kernel.usermodehelper.bset.",
        mixinStandardHelpOptions = true)
final class CapsCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            defaultValue = "all",
            description = "A list such as cap_chown,cap_kill, all (default), none, or hexadecimal.")
    private CapabilitySet set;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (json) {
            print(set);
            return 0;
        }
        System.out.println("hex:    " + set.toHex());
        System.out.println("sysctl: " + set.toSysctlText().replace('\t', ' '));
        System.out.println("names:  " + (set.isEmpty() ? "none" : String.join("\n        ", set.names())));
        return 0;
    }

    private static void print(CapabilitySet caps) throws IOException {
        try (JsonGenerator generator = Json.onStandardOutput()) {
            generator.writeStartObject();
            generator.writeStringField("hex", caps.toHex());
            generator.writeStringField("sysctl", caps.toSysctlText());
            generator.writeArrayFieldStart("names");
            for (String name : caps.names()) {
                generator.writeString(name);
            }
            generator.writeEndArray();
            generator.writeEndObject();
        }
    }
}
