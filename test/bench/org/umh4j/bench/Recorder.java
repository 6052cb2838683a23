// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/** Writes what one JVM measures, a line of JSON for each row, as soon as it has it. */
final class Recorder {
    private static final int JDK = Runtime.version().feature();

    private final ObjectMapper mapper = new ObjectMapper();
    private final PrintStream out;
    private final String group;

    Recorder(PrintStream out, String group) {
        this.out = out;
        this.group = group;
    }

    void record(Object place, String target, List<Contender> contenders, List<Samples> samples) throws IOException {
        for (int i = 0; i < contenders.size(); i++) {
            record(place, target, contenders.get(i).name(), "us", samples.get(i));
        }
    }

    void record(Object place, String target, String contender, String unit, Samples samples) throws IOException {
        double[] rounded = samples.values();
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = Math.round(rounded[i] * 100) / 100.0;
        }
        out.println(mapper.writeValueAsString(
                new Row(JDK, group, String.valueOf(place), target, contender, unit, rounded)));
    }
}
