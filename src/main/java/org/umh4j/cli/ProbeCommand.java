// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.concurrent.Callable;
import org.umh4j.HelperProbe;
import org.umh4j.UmhException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code umh probe}: prints the attributes of a helper with these options. */
@Command(
        name = "probe",
        description = "Starts a helper that reports its attributes, and prints the report as one JSON object.",
        mixinStandardHelpOptions = true,
        abbreviateSynopsis = true,
        sortOptions = false)
final class ProbeCommand implements Callable<Integer> {
    @Mixin
    private HelperOptions options;

    @Option(names = "--json", description = "Has no effect, because the report is always JSON.")
    @SuppressWarnings("unused")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        try (HelperProbe probe = HelperProbe.install()) {
            System.out.println(options.report(probe));
            return 0;
        } catch (UmhException e) {
            System.err.println("umh: " + Main.message(e));
            return Main.FAILED;
        }
    }
}
