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

/** {@code umh sysctl}: the policy, as it would be for helpers started with these options. */
@Command(
        name = "sysctl",
        description = "Shows the policy: what the host's kernel.usermodehelper.bset and .inheritable leave to helpers,"
                + " narrowed by the options. Nothing of the host is changed.",
        mixinStandardHelpOptions = true)
final class SysctlCommand implements Callable<Integer> {
    @Option(names = "--bset", paramLabel = "CAPS", description = "Narrows bset to this set.")
    private @Nullable String bset;

    @Option(names = "--inheritable", paramLabel = "CAPS", description = "Narrows inheritable to this set.")
    private @Nullable String inheritable;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        CapabilitySet bounding = bset == null ? UmhSysctl.bset() : UmhSysctl.narrowBset(CapabilitySet.parse(bset));
        CapabilitySet inherited = inheritable == null
                ? UmhSysctl.inheritable()
                : UmhSysctl.narrowInheritable(CapabilitySet.parse(inheritable));
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
