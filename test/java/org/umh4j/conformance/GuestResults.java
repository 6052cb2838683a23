// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Makes the tables of the output of the guests. Arguments: the directory that has a directory for each kernel; {@code
 * --docs} writes the tables into docs/conformance.md.
 */
public final class GuestResults {
    private static final Path PAGE = Path.of("docs/conformance.md");
    private static final String BEGIN = "<!-- guests: make conformance-guests ARGS=--docs -->\n";
    private static final String END = "<!-- end of guests -->\n";

    private static final List<String> MODES = List.of("MAIN", "ODD", "LIMITS");

    /** The output of the boots of one kernel. */
    private static final class Kernel {
        private final String name;
        private final List<String> lines = new ArrayList<>();
        private long seconds;

        private Kernel(Path directory) throws IOException {
            name = directory.getFileName().toString().replaceFirst("-cloud-amd64", "");
            for (String mode : MODES) {
                Path length = directory.resolve(mode + ".seconds"); // written at the end of the boot
                if (Files.exists(length)) {
                    lines.addAll(Files.readAllLines(directory.resolve(mode + ".out")));
                    seconds += Long.parseLong(Files.readString(length).trim());
                }
            }
        }

        private List<String> output(String kind) {
            return lines.stream()
                    .filter(line -> line.startsWith("@@" + kind + " "))
                    .map(line -> line.substring(kind.length() + 3))
                    .toList();
        }

        /** The cells of a limit or a cgroup. */
        private List<String> cells(String kind, String name) {
            return output(kind).stream()
                    .filter(line -> line.startsWith(name + " | "))
                    .map(line -> line.substring(name.length() + 3))
                    .toList();
        }

        /** Returns whether every boot is complete. */
        private boolean isComplete() {
            return output("done").equals(MODES);
        }

        /** The sum of a column of the "fields" lines: setting, all, documented, failed. */
        private long fields(int column) {
            return output("fields").stream()
                    .mapToLong(line -> Long.parseLong(line.split(" ")[column]))
                    .sum();
        }

        private String sum(String kind) {
            return Long.toString(
                    output(kind).stream().mapToLong(Long::parseLong).sum());
        }

        private List<String> column() {
            long all = fields(1);
            return List.of(
                    name,
                    Integer.toString(output("record").size()),
                    Integer.toString(output("fields").size()),
                    Long.toString(all),
                    Long.toString(all - fields(2) - fields(3)),
                    Long.toString(fields(2)),
                    sum("calls"),
                    sum("writes"),
                    Integer.toString(output("failure").size()),
                    seconds + " s");
        }
    }

    private final List<Kernel> kernels = new ArrayList<>();

    GuestResults(Path directory) throws IOException {
        try (Stream<Path> directories = Files.list(directory)) {
            for (Path kernel : (Iterable<Path>) directories.sorted()::iterator) {
                Kernel read = new Kernel(kernel);
                if (!read.lines.isEmpty()) {
                    kernels.add(read);
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        GuestResults results = new GuestResults(Path.of(arguments[0]));
        String text = results.helpers() + "\n" + results.limits() + "\n" + results.groups();
        System.out.println(text);
        if (arguments.length > 1 && arguments[1].equals("--docs")) {
            String page = Files.readString(PAGE);
            String before = page.substring(0, page.indexOf(BEGIN) + BEGIN.length());
            Files.writeString(PAGE, before + "\n" + text + "\n" + page.substring(page.indexOf(END)));
        }
        List<String> failures = results.failures();
        failures.forEach(failure -> System.out.println("FAILURE " + failure));
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    List<String> failures() {
        List<String> failures = new ArrayList<>();
        kernels.forEach(
                kernel -> kernel.output("failure").forEach(failure -> failures.add(kernel.name + " " + failure)));
        if (kernels.stream().allMatch(Kernel::isComplete)
                && kernels.stream().anyMatch(kernel -> kernel.name.startsWith("5."))) {
            unseen().forEach(row -> failures.add("docs/differences.md lists " + row + ", and no guest has shown it"));
        }
        return failures;
    }

    /** The rows that only a guest can show, and that no guest has shown. */
    private Set<String> unseen() {
        Set<String> rows = new TreeSet<>(Conformance.IN_GUESTS.keySet());
        rows.addAll(Setting.LOGGED_IN.provokes());
        rows.addAll(Setting.RAISED_OOM_SCORE.provokes());
        kernels.forEach(kernel -> kernel.output("seen").forEach(rows::remove));
        return rows;
    }

    private String helpers() {
        List<List<String>> columns = new ArrayList<>();
        columns.add(List.of(
                "kernel",
                "helpers that the kernel started",
                "conditions in which umh4j started the same helpers",
                "fields compared",
                "… equal",
                "… different, as documented",
                "calls with the same result",
                "writes to the sysctl file with the same result",
                "failures",
                "length of the run"));
        kernels.forEach(kernel -> columns.add(kernel.column()));
        return ConformanceTable.rows(columns);
    }

    private String limits() {
        return table(
                "limit",
                "| restriction of the guest | kernel | a helper of umh4j | output of `umh doctor` |\n"
                        + "|---|---|---|---|\n");
    }

    private String groups() {
        return table("group", "| setting of the cgroup | kernel | a helper that is started in it |\n|---|---|---|\n");
    }

    /** The result of each restriction under each kernel; kernels with equal cells share a row. */
    private String table(String kind, String head) {
        StringBuilder text = new StringBuilder(head);
        Set<String> names = new LinkedHashSet<>();
        kernels.forEach(kernel -> kernel.output(kind).forEach(line -> names.add(line.split(" \\| ")[0])));
        for (String name : names) {
            Map<String, List<String>> same = new LinkedHashMap<>();
            for (Kernel kernel : kernels) {
                for (String cells : kernel.cells(kind, name)) {
                    same.computeIfAbsent(cells, none -> new ArrayList<>()).add(kernel.name);
                }
            }
            same.forEach((cells, where) -> text.append(row(name, where, cells)));
        }
        return text.toString();
    }

    private String row(String name, List<String> where, String cells) {
        String kernelNames = where.size() == kernels.size() ? "all" : String.join(", ", where);
        return "| " + name + " | " + kernelNames + " | " + cells + "\n";
    }
}
