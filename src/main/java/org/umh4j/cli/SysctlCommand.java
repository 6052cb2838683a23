// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.umh4j.UmhSysctl;
import org.umh4j.linux.CapabilitySet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code umh sysctl}: prints the policy for helpers with these options. */
@Command(
        name = "sysctl",
        description =
                "Prints the policy for helpers: the host's kernel.usermodehelper.bset and .inheritable, narrowed by the"
                        + " options. The host's settings are not changed.",
        mixinStandardHelpOptions = true)
final class SysctlCommand implements Callable<Integer> {
    @Option(
            names = "--bset",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "Intersects bset with this set.")
    private @Nullable CapabilitySet bset;

    @Option(
            names = "--inheritable",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "Intersects inheritable with this set.")
    private @Nullable CapabilitySet inheritable;

    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        CapabilitySet bounding = bset == null ? UmhSysctl.bset() : UmhSysctl.narrowBset(bset);
        CapabilitySet inherited =
                inheritable == null ? UmhSysctl.inheritable() : UmhSysctl.narrowInheritable(inheritable);
        if (json) {
            try (JsonGenerator generator = Json.onStandardOutput()) {
                generator.writeStartObject();
                generator.writeStringField("bset", bounding.toSysctlText());
                generator.writeStringField("inheritable", inherited.toSysctlText());
                generator.writeEndObject();
            }
            return 0;
        }
        print("kernel.usermodehelper.bset", bounding);
        print("kernel.usermodehelper.inheritable", inherited);
        return 0;
    }

    private static void print(String name, CapabilitySet set) {
        System.out.println(name + " = " + set.toSysctlText().replace('\t', ' ') + "  (" + set + ")");
    }
}
