// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.umh4j.linux.CapabilitySet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code umh caps}: capability sets in all their forms. */
@Command(
        name = "caps",
        description = "Shows a capability set by name, as hexadecimal and as the two words of the sysctl.",
        mixinStandardHelpOptions = true)
final class CapsCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "CAPS",
            description = "A list such as cap_chown,cap_kill; all (default); none; hexadecimal.")
    private String set = "all";

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        CapabilitySet caps = CapabilitySet.parse(set);
        if (json) {
            print(caps);
            return 0;
        }
        System.out.println("hex:    " + caps.toHex());
        System.out.println("sysctl: " + caps.toSysctlText().replace('\t', ' '));
        System.out.println("names:  " + (caps.isEmpty() ? "none" : String.join("\n        ", caps.names())));
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
