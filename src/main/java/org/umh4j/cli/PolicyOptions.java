// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.HelperPaths;
import org.umh4j.UmhSysctl;
import org.umh4j.linux.CapabilitySet;
import picocli.CommandLine.Option;

/** The options for the policy, which holds for every helper of this process. */
final class PolicyOptions {
    @Option(
            names = "--bset",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "Limits the bounding set, as kernel.usermodehelper.bset does.")
    private @Nullable CapabilitySet bset;

    @Option(
            names = "--inheritable",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "Limits the inheritable set, as kernel.usermodehelper.inheritable does.")
    private @Nullable CapabilitySet inheritable;

    @Option(
            names = "--allow",
            paramLabel = "PATH",
            description = "Permits this program and refuses every program without an --allow. Default: all programs are"
                    + " permitted. Repeatable.")
    private List<String> allowed = new ArrayList<>();

    @Option(
            names = "--static-helper",
            paramLabel = "PATH",
            description = "Executes this program in place of the named one, as CONFIG_STATIC_USERMODEHELPER_PATH does."
                    + " With an empty path umh does nothing.")
    private @Nullable String staticHelper;

    /** Narrows the policy of this process. */
    void narrow() {
        if (bset != null) {
            UmhSysctl.narrowBset(bset);
        }
        if (inheritable != null) {
            UmhSysctl.narrowInheritable(inheritable);
        }
        if (!allowed.isEmpty()) {
            HelperPaths.allowOnly(allowed.toArray(String[]::new));
        }
        if (staticHelper != null) {
            HelperPaths.redirectAllTo(staticHelper);
        }
    }
}
