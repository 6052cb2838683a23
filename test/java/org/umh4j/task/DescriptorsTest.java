// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.support.Combinations;
import org.umh4j.support.DescriptorSources;
import org.umh4j.support.DescriptorSources.Kind;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.OpenDescriptors;
import org.umh4j.support.ProbeProgram;

/** A helper has the requested descriptors, each from its source, and no others. */
@ExtendWith(Leaks.class)
final class DescriptorsTest {
    /** Lowest ones, those around the plan socket's own, and far ones. */
    @ParameterizedTest
    @CsvSource({
        "EACH_WAY, 0 1 2 3 4",
        "EACH_WAY, 2 3 4 5 9",
        "EACH_WAY, 0 3 4 100 1000",
        "OWN_NUMBERS, 0 1 2 3 4",
        "OWN_NUMBERS, 2 3 4 5 9",
    })
    void eachMapOfFiveDescriptorsIsExact(Kind kind, String targets) throws Exception {
        assertEquals(List.of(), differences(kind, targets, 1));
    }

    /** Shares no factor with the number of maps, so that a stride of it meets each source at each target alike. */
    private static final int STRIDE = 17;

    /** The JVM's files and the library's own then have the lowest numbers. */
    @ParameterizedTest
    @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"})
    void mapsOfAJvmWithoutStandardDescriptorsAreExact(String closed) throws Exception {
        Path output = Files.createTempFile("maps", ".txt");
        Jvm jvm = new Jvm().under("/bin/sh", "-c", "exec \"$0\" \"$@\" " + closed);
        assertEquals(0, jvm.run(ClosedMain.class, output.toString()).exitCode());
        assertEquals("[][]", Files.readString(output));
        Files.delete(output);
    }

    /** Writes into a file what is not as it should be: there may be no standard output. */
    static final class ClosedMain {
        public static void main(String[] arguments) throws Exception {
            ProbeProgram.report();
            String wrong = "";
            TreeMap<String, Long> before = Leaks.descriptors();
            for (Kind kind : Kind.values()) {
                wrong += differences(kind, "0 1 2 3 4", STRIDE);
            }
            Leaks.assertNothingLeft(before);
            Files.writeString(Path.of(arguments[0]), wrong);
        }
    }

    /** Each target has a source or none, by the digits of a number. */
    private static List<String> differences(Kind kind, String text, int stride) throws Exception {
        int[] targets = Stream.of(text.split(" ")).mapToInt(Integer::parseInt).toArray();
        try (DescriptorSources sources = new DescriptorSources(kind)) {
            int maps = (int) Math.pow(sources.size() + 1, targets.length);
            return Combinations.failures(maps, stride, (worker, number) -> {
                Path report = ProbeProgram.FOLDER.resolve("fds" + worker);
                Descriptors files = Descriptors.none();
                Map<Integer, String> expected = new TreeMap<>();
                int rest = number;
                for (int target : targets) {
                    int source = rest % (sources.size() + 1);
                    rest /= sources.size() + 1;
                    if (source < sources.size()) {
                        files = sources.give(files, target, source);
                        expected.put(target, sources.link(source));
                    }
                }
                Map<Integer, String> actual = OpenDescriptors.ofHelper(files, report);
                return actual.equals(expected) ? Optional.empty() : Optional.of(expected + " was " + actual);
            });
        }
    }
}
