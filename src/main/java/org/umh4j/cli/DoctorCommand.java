// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code umh doctor}: reports the results of {@link DoctorChecks}. */
@Command(
        name = "doctor",
        description = "Checks which attributes of helpers this host permits, and prints each result with its reason.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:Helpers can be started.", "1:Helpers can't be started."})
final class DoctorCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Prints one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        List<CheckResult> results = new ArrayList<>();
        DoctorChecks.ofThisHost(result -> {
            results.add(result);
            if (!json) {
                System.out.println(result.text()); // the last checks start helpers and take longer
            }
        });
        boolean missing = results.stream().anyMatch(result -> result.state() == CheckResult.State.MISSING);
        if (json) {
            print(results);
        } else {
            System.out.println(summary(results, missing));
        }
        return missing ? 1 : 0;
    }

    private static String summary(List<CheckResult> results, boolean missing) {
        if (missing) {
            return "Helpers can't be started here.";
        }
        long limited = results.stream()
                .filter(result -> result.state() == CheckResult.State.LIMITED)
                .count();
        return "Helpers can be started here"
                + (limited == 0
                        ? ", with every attribute of a helper of the kernel."
                        : ", except for the attributes that are LIMITED.");
    }

    private static void print(List<CheckResult> results) throws IOException {
        try (JsonGenerator generator = Json.onStandardOutput()) {
            generator.writeStartObject();
            for (CheckResult result : results) {
                generator.writeObjectFieldStart(result.subject());
                generator.writeStringField("state", result.state().name().toLowerCase(java.util.Locale.ROOT));
                generator.writeStringField("message", result.message());
                generator.writeStringField("hint", result.hint());
                generator.writeEndObject();
            }
            generator.writeEndObject();
        }
    }
}
