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
 * Makes the tables of what guests printed. Arguments: the folder with one folder a kernel; {@code --docs} to write them
 * into docs/kernel-truth.md.
 */
public final class KernelTruth {
    private static final Path PAGE = Path.of("docs/kernel-truth.md");
    private static final String BEGIN = "<!-- kernel-truth: make kernel-truth ARGS=--docs -->\n";
    private static final String END = "<!-- end of kernel-truth -->\n";

    private static final List<String> MODES = List.of("MAIN", "ODD", "LIMITS");

    /** What the boots of one kernel printed. */
    private static final class Kernel {
        private final String name;
        private final List<String> lines = new ArrayList<>();
        private long seconds;

        private Kernel(Path folder) throws IOException {
            name = folder.getFileName().toString().replaceFirst("-cloud-amd64", "");
            for (String mode : MODES) {
                Path length = folder.resolve(mode + ".seconds"); // written when the boot has come to its end
                if (Files.exists(length)) {
                    lines.addAll(Files.readAllLines(folder.resolve(mode + ".out")));
                    seconds += Long.parseLong(Files.readString(length).trim());
                }
            }
        }

        private List<String> said(String kind) {
            return lines.stream()
                    .filter(line -> line.startsWith("@@" + kind + " "))
                    .map(line -> line.substring(kind.length() + 3))
                    .toList();
        }

        /** What is said of a limit or a group. */
        private List<String> cells(String kind, String name) {
            return said(kind).stream()
                    .filter(line -> line.startsWith(name + " | "))
                    .map(line -> line.substring(name.length() + 3))
                    .toList();
        }

        /** Whether every boot has come to its end. */
        private boolean isWhole() {
            return said("done").equals(MODES);
        }

        /** The sum of a column of the lines on fields: setting, all, documented, failed. */
        private long fields(int column) {
            return said("fields").stream()
                    .mapToLong(line -> Long.parseLong(line.split(" ")[column]))
                    .sum();
        }

        private String sum(String kind) {
            return Long.toString(said(kind).stream().mapToLong(Long::parseLong).sum());
        }

        private List<String> column() {
            long all = fields(1);
            return List.of(
                    name,
                    Integer.toString(said("record").size()),
                    Integer.toString(said("fields").size()),
                    Long.toString(all),
                    Long.toString(all - fields(2) - fields(3)),
                    Long.toString(fields(2)),
                    sum("calls"),
                    sum("writes"),
                    Integer.toString(said("failure").size()),
                    seconds + " s");
        }
    }

    private final List<Kernel> kernels = new ArrayList<>();

    KernelTruth(Path folder) throws IOException {
        try (Stream<Path> folders = Files.list(folder)) {
            for (Path kernel : (Iterable<Path>) folders.sorted()::iterator) {
                Kernel read = new Kernel(kernel);
                if (!read.lines.isEmpty()) {
                    kernels.add(read);
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        KernelTruth truth = new KernelTruth(Path.of(arguments[0]));
        String text = truth.helpers() + "\n" + truth.limits() + "\n" + truth.groups();
        System.out.println(text);
        if (arguments.length > 1 && arguments[1].equals("--docs")) {
            String page = Files.readString(PAGE);
            String before = page.substring(0, page.indexOf(BEGIN) + BEGIN.length());
            Files.writeString(PAGE, before + "\n" + text + "\n" + page.substring(page.indexOf(END)));
        }
        List<String> failures = truth.failures();
        failures.forEach(failure -> System.out.println("FAILURE " + failure));
        System.exit(failures.isEmpty() ? 0 : 1);
    }

    List<String> failures() {
        List<String> failures = new ArrayList<>();
        kernels.forEach(kernel -> kernel.said("failure").forEach(failure -> failures.add(kernel.name + " " + failure)));
        if (kernels.stream().allMatch(Kernel::isWhole)
                && kernels.stream().anyMatch(kernel -> kernel.name.startsWith("5."))) {
            unseen().forEach(row -> failures.add("docs/kernel-map.md lists " + row + ", and no guest has shown it"));
        }
        return failures;
    }

    /** What only guests may have a chance to show, and have not. */
    private Set<String> unseen() {
        Set<String> rows = new TreeSet<>(Conformance.IN_GUESTS.keySet());
        rows.addAll(Setting.LOGGED_IN.provokes());
        rows.addAll(Setting.HARD_TO_SPARE.provokes());
        kernels.forEach(kernel -> kernel.said("seen").forEach(rows::remove));
        return rows;
    }

    /** The first table of the page, to stand elsewhere too. */
    static String helpersOfPage() throws IOException {
        String page = Files.readString(PAGE);
        int begin = page.indexOf(BEGIN) + BEGIN.length() + 1;
        return page.substring(begin, page.indexOf("\n\n", begin) + 1);
    }

    private String helpers() {
        List<List<String>> columns = new ArrayList<>();
        columns.add(List.of(
                "kernel",
                "helpers that it started",
                "conditions in which umh4j started the same",
                "fields compared",
                "… equal",
                "… different, as documented",
                "calls with the same answer",
                "writes to the sysctl file with the same answer",
                "failures",
                "length of the run"));
        kernels.forEach(kernel -> columns.add(kernel.column()));
        return ConformanceTable.rows(columns);
    }

    private String limits() {
        return table(
                "limit",
                "| what the guest forbids | kernel | a helper of umh4j | `umh doctor` says |\n|---|---|---|---|\n");
    }

    private String groups() {
        return table("group", "| what a cgroup says | kernel | a helper that is born there |\n|---|---|---|\n");
    }

    /** What became of a helper under each kernel; equal cells are said once. */
    private String table(String kind, String head) {
        StringBuilder text = new StringBuilder(head);
        Set<String> names = new LinkedHashSet<>();
        kernels.forEach(kernel -> kernel.said(kind).forEach(line -> names.add(line.split(" \\| ")[0])));
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
