// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
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
        List<Finding> findings = Examination.ofThisHost();
        if (json) {
            print(findings);
        } else {
            findings.forEach(finding -> System.out.println(finding.text()));
        }
        return findings.stream().anyMatch(finding -> finding.state() == Finding.State.MISSING) ? 1 : 0;
    }

    private static void print(List<Finding> findings) throws IOException {
        try (JsonGenerator generator = Json.onStandardOutput()) {
            generator.writeStartObject();
            for (Finding finding : findings) {
                generator.writeObjectFieldStart(finding.subject());
                generator.writeStringField("state", finding.state().name().toLowerCase(java.util.Locale.ROOT));
                generator.writeStringField("words", finding.words());
                generator.writeEndObject();
            }
            generator.writeEndObject();
        }
    }
}
