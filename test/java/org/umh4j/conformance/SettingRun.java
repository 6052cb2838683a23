// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.umh4j.conformance.FieldComparison.Field;
import org.umh4j.conformance.FieldComparison.Verdict;

/** Starts the helpers of one setting in one JVM, and prints each difference from a recording, one object a line. */
final class SettingRun {
    /** The content of a line. */
    record Line(String kernel, Field field) {}

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private SettingRun() {}

    /** Arguments: the name of a setting; in a guest also the directory with the reports of its kernel's helpers. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Setting setting = Setting.valueOf(arguments[0]);
        Programs programs = arguments.length == 1 ? Programs.inTestDirectory() : Programs.inGuest();
        Host host = Host.inspect(programs);
        if (arguments.length == 1 && (setting != Setting.UNCHANGED || host.mayWritePolicy())) {
            writes(setting);
        }
        setting.policy().apply();
        FieldComparison comparison = new FieldComparison(DocumentedDifferences.read(), host);
        for (String kernel : arguments.length == 1 ? Recordings.KERNELS : List.of("")) {
            List<Scenario> helpers =
                    arguments.length == 1 ? Recordings.helpers(kernel) : Recordings.helpers(Path.of(arguments[1]));
            for (Scenario scenario : chosen(setting, helpers)) {
                if (!scenario.isSetUid() || programs.honorsSetUid()) {
                    print(kernel, comparison.compare(scenario, programs.start(scenario)));
                }
            }
        }
    }

    /** The writes that a JVM with this privilege makes. */
    private static void writes(Setting setting) throws IOException {
        for (String kernel : Recordings.KERNELS) {
            for (SysctlWrite write : Recordings.writers(kernel)) {
                if (Setting.of(write).equals(Optional.of(setting))) {
                    print(kernel, List.of(write.ofThisJvm()));
                }
            }
        }
    }

    static List<Scenario> chosen(Setting setting, List<Scenario> helpers) {
        return helpers.stream()
                .filter(setting::includes)
                .limit(setting.isForRowsOnly() ? 1 : Long.MAX_VALUE)
                .toList();
    }

    private static void print(String kernel, List<Field> fields) throws IOException {
        for (Field field : fields) {
            if (field.verdict() != Verdict.EQUAL) {
                System.out.println(MAPPER.writeValueAsString(new Line(kernel, field)));
            }
        }
    }

    static List<Line> parse(String out) throws IOException {
        List<Line> lines = new ArrayList<>();
        for (String line : out.lines().toList()) {
            lines.add(MAPPER.readValue(line, Line.class));
        }
        return lines;
    }
}
