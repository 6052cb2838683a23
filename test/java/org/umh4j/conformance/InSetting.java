// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.umh4j.conformance.FieldComparison.Field;
import org.umh4j.conformance.FieldComparison.Verdict;

/** One JVM's part: starts the helpers of its setting, and prints what differs from each recording, an object a line. */
final class InSetting {
    /** What a line says. */
    record Line(String kernel, Field field) {}

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private InSetting() {}

    /** The name of a setting; in a guest also the folder of what its kernel has just given to its helpers. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Setting setting = Setting.valueOf(arguments[0]);
        setting.policy().apply();
        Programs programs = arguments.length == 1 ? Programs.ofTheTests() : Programs.ofTheGuest();
        FieldComparison comparison = new FieldComparison(KernelMap.read(), Host.look(programs));
        for (String kernel : arguments.length == 1 ? Recordings.KERNELS : List.of("")) {
            List<Scenario> helpers =
                    arguments.length == 1 ? Recordings.helpers(kernel) : Recordings.helpers(Path.of(arguments[1]));
            for (Scenario scenario : chosen(setting, helpers)) {
                if (!scenario.isSetUid() || programs.honoursSetUid()) {
                    print(kernel, comparison.compare(scenario, programs.start(scenario)));
                }
            }
        }
    }

    static List<Scenario> chosen(Setting setting, List<Scenario> helpers) {
        return helpers.stream()
                .filter(scenario -> scenario.policy() == setting.policy())
                .limit(setting.isForTheMap() ? 1 : Long.MAX_VALUE)
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
