// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs every group in a new JVM of each JDK, prints medians as they come, and writes the raw results to a file.
 *
 * <p>Usage: {@code Bench RESULTS ROUNDS JAVA...}, each JAVA the path of a {@code java}.
 */
public final class Bench {
    /** A JVM to measure in. */
    private record Run(String java, Group group, List<String> options) {
        @Override
        public String toString() {
            return group + (options.isEmpty() ? "" : " " + options) + " with " + java;
        }
    }

    private final PrintStream results;
    private final int rounds;
    private final ObjectMapper mapper = new ObjectMapper();

    private Bench(PrintStream results, int rounds) {
        this.results = results;
        this.rounds = rounds;
    }

    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        try (PrintStream results = new PrintStream(Files.newOutputStream(file))) {
            Bench bench = new Bench(results, Integer.parseInt(arguments[1]));
            List<String> javas = Arrays.asList(arguments).subList(2, arguments.length);
            List<Run> runs = runs(javas);
            for (int i = 0; i < runs.size(); i++) {
                System.out.printf("%n[%d of %d] %s%n", i + 1, runs.size() + javas.size(), runs.get(i));
                bench.measure(runs.get(i));
            }
            for (int i = 0; i < javas.size(); i++) {
                System.out.printf("%n[%d of %d] first call%n", runs.size() + i + 1, runs.size() + javas.size());
                bench.measureFirstCall(javas.get(i));
            }
        }
        System.out.printf("%nraw results: %s%n", file);
    }

    private static List<Run> runs(List<String> javas) {
        List<Run> runs = new ArrayList<>();
        for (String java : javas) {
            for (Group group : Group.values()) {
                if (group == Group.HEAP) {
                    runs.add(new Run(java, group, List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch")));
                    runs.add(new Run(java, group, List.of("-Xms8g", "-Xmx8g", "-XX:+AlwaysPreTouch")));
                } else {
                    runs.add(new Run(java, group, List.of("-Xmx512m")));
                }
            }
            runs.add(new Run(java, Group.DESCRIPTORS, List.of("-Xmx512m", "-Djdk.lang.Process.launchMechanism=VFORK")));
        }
        return runs;
    }

    private void measure(Run run) throws IOException, InterruptedException {
        List<String> command = command(run.java, run.options, Group.class);
        command.addAll(List.of(run.group.name(), Integer.toString(rounds)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        double base = 0;
        System.out.printf("%-10s %-12s %-24s %9s %9s %7s%n", "", "", "", "p50", "p99", "ratio");
        try (BufferedReader rows = process.inputReader()) {
            for (String line = rows.readLine(); line != null; line = rows.readLine()) {
                results.println(line);
                Row row = mapper.readValue(line, Row.class);
                base = row.contender().equals(Contenders.BASE) ? row.percentile(50) : base;
                System.out.printf(
                        "%-10s %-12s %-24s %9.1f %9.1f %7s%n",
                        row.place(),
                        row.target(),
                        row.contender(),
                        row.percentile(50),
                        row.percentile(99),
                        base == 0 ? "" : String.format("%.2f", row.percentile(50) / base));
            }
        }
        results.flush();
        if (process.waitFor() != 0) {
            throw new IllegalStateException(run + " ended with " + process.exitValue());
        }
    }

    private static List<String> command(String java, List<String> options, Class<?> main) throws IOException {
        List<String> command = new ArrayList<>(List.of(java));
        if (feature(java) >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        for (String property : new String[] {"bench.peers", "bench.tiny", "bench.pause"}) {
            command.add("-D" + property + "=" + System.getProperty(property));
        }
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return command;
    }

    /** The feature number, from the release file in the directory of the JDK. */
    private static int feature(String java) throws IOException {
        String release = Files.readString(Path.of(java).toRealPath().getParent().resolveSibling("release"));
        return Integer.parseInt(release.replaceAll("(?s).*JAVA_VERSION=\"(\\d+).*", "$1"));
    }

    /** Whole processes: what the library adds to a JVM that does nothing else. */
    private void measureFirstCall(String java) throws IOException, InterruptedException {
        Samples empty = new Samples();
        Samples first = new Samples();
        for (int round = 0; round < Math.max(10, Math.min(rounds / 20, 40)); round++) {
            empty.add(millis(java));
            first.add(millis(java, System.getProperty("bench.tiny")));
        }
        String[] names = {"an empty JVM", "load and first call"};
        Samples[] both = {empty, first};
        for (int i = 0; i < both.length; i++) {
            double[] values = both[i].values();
            results.println(mapper.writeValueAsString(
                    new Row(feature(java), "first call", "", "process", names[i], "ms", values)));
            System.out.printf("%-24s %-24s %9.1f ms%n", "", names[i], Samples.percentile(values, 50));
        }
    }

    private static double millis(String java, String... arguments) throws IOException, InterruptedException {
        List<String> command = command(java, List.of("-Xshare:auto"), FirstCall.class);
        command.addAll(List.of(arguments));
        long begin = System.nanoTime();
        int status = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (status != 0) {
            throw new IllegalStateException(command + " ended with " + status);
        }
        return (System.nanoTime() - begin) / 1e6;
    }
}
