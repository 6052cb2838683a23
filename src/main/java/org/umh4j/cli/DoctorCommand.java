// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code umh doctor}: what this host supports, and what is missing, in words. */
@Command(
        name = "doctor",
        description = "Looks at this host and says what helpers can and cannot be given here.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:helpers can be started", "1:helpers can't be started"})
final class DoctorCommand implements Callable<Integer> {
    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        List<CheckResult> results = new ArrayList<>();
        DoctorChecks.ofThisHost(result -> {
            results.add(result);
            if (!json) {
                System.out.println(result.text()); // each as soon as it is known: the last ones take a helper
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
                + (limited == 0 ? ", with all that the kernel gives to its own." : ", but for what is LIMITED.");
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
