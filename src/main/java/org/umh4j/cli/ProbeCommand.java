// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.concurrent.Callable;
import org.umh4j.HelperProbe;
import org.umh4j.UmhException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code umh probe}: what a helper born with these options sees. */
@Command(
        name = "probe",
        description = "Starts a program that reports what it was born with, and prints that as one JSON object.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ProbeCommand implements Callable<Integer> {
    @Mixin
    private HelperOptions options;

    @Option(names = "--json", description = "Always so; accepted for symmetry.")
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
