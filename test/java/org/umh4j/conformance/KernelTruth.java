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
import java.util.stream.Stream;

/**
 * Makes the tables of what guests printed. Arguments: the folder with one folder a kernel; {@code --docs} to write them
 * into docs/kernel-truth.md.
 */
public final class KernelTruth {
    private static final Path PAGE = Path.of("docs/kernel-truth.md");
    private static final String BEGIN = "<!-- kernel-truth: make kernel-truth ARGS=--docs -->\n";
    private static final String END = "<!-- end of kernel-truth -->\n";

    /** What the boots of one kernel printed. */
    private static final class Kernel {
        private final String name;
        private final List<String> lines = new ArrayList<>();
        private long seconds;

        private Kernel(Path folder) throws IOException {
            name = folder.getFileName().toString().replaceFirst("-cloud-amd64", "");
            for (String mode : List.of("MAIN", "ODD", "LIMITS")) {
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

        /** What is said of a limit. */
        private List<String> cells(String limit) {
            return said("limit").stream()
                    .filter(line -> line.startsWith(limit + " | "))
                    .map(line -> line.substring(limit.length() + 3))
                    .toList();
        }

        /** The sum of a column of the lines on fields: setting, all, documented, failed. */
        private long fields(int column) {
            return said("fields").stream().mapToLong(line -> Long.parseLong(line.split(" ")[column])).sum();
        }

        private String sum(String kind) {
            return Long.toString(said(kind).stream().mapToLong(Long::parseLong).sum());
        }

        private List<String> column() {
            long all = fields(1);
            return List.of(
                    name, Integer.toString(said("record").size()), Integer.toString(said("fields").size()), Long.toString(all),
                    Long.toString(fields(2)), sum("calls"), sum("writes"), Integer.toString(said("failure").size()),
                    seconds + " s");
        }
    }

    private final List<Kernel> kernels = new ArrayList<>();

    private KernelTruth(Path folder) throws IOException {
        try (Stream<Path> folders = Files.list(folder)) {
            for (Path kernel : (Iterable<Path>) folders.sorted()::iterator) {
                if (Files.exists(kernel.resolve("MAIN.out"))) {
                    kernels.add(new Kernel(kernel));
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        KernelTruth truth = new KernelTruth(Path.of(arguments[0]));
        String text = truth.helpers() + "\n" + truth.limits();
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

    private List<String> failures() {
        List<String> failures = new ArrayList<>();
        kernels.forEach(kernel -> kernel.said("failure").forEach(failure -> failures.add(kernel.name + " " + failure)));
        return failures;
    }

    private String helpers() {
        List<List<String>> columns = new ArrayList<>();
        columns.add(List.of(
                "kernel", "helpers that it started", "conditions in which umh4j started the same", "fields compared",
                "… different, as documented", "calls with the same answer", "writes to the sysctl file with the same answer",
                "failures", "length of the run"));
        kernels.forEach(kernel -> columns.add(kernel.column()));
        return ConformanceTable.rows(columns);
    }

    /** What is forbidden, and what became of a helper under each kernel; equal cells are said once. */
    private String limits() {
        StringBuilder text = new StringBuilder(
                "| what the guest forbids | kernel | a helper of umh4j | `umh doctor` says |\n|---|---|---|---|\n");
        Set<String> names = new LinkedHashSet<>();
        kernels.forEach(kernel -> kernel.said("limit").forEach(line -> names.add(line.split(" \\| ")[0])));
        for (String name : names) {
            Map<String, List<String>> same = new LinkedHashMap<>();
            for (Kernel kernel : kernels) {
                for (String cells : kernel.cells(name)) {
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
