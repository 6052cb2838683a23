// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The table of the comparison with the recordings, one column for each kernel. It is the same on every host: a field
 * counts as equal if it must be equal, and as documented if it may differ on some host.
 */
final class ConformanceTable {
    private static final String BEGIN = "<!-- conformance: make conformance ARGS=--docs -->\n";
    private static final String END = "<!-- end of conformance -->\n";

    private final DocumentedDifferences differences;

    ConformanceTable(DocumentedDifferences differences) {
        this.differences = differences;
    }

    String text() throws IOException {
        List<List<String>> columns = new ArrayList<>();
        columns.add(List.of(
                "kernel",
                "helpers that the kernel started",
                "fields of their reports",
                "… equal",
                "… the host's value, by the same rule",
                "… approximate",
                "… impossible",
                "… only one report has it",
                "calls of `call_usermodehelper_exec()`",
                "… same result, same order of init, cleanup and return",
                "… documented: a killed caller",
                "writes to the sysctl files",
                "… same result, same content",
                "… documented: at an offset",
                "writes with and without privilege",
                "… same result",
                "… documented: the mode of the file decides"));
        for (String kernel : Recordings.KERNELS) {
            columns.add(column(kernel));
        }
        return rows(columns);
    }

    private List<String> column(String kernel) throws IOException {
        List<String> column = new ArrayList<>(List.of(kernel.replaceFirst("-cloud-amd64", "")));
        fields(kernel, column);
        List<Call> calls =
                Recordings.calls(kernel).stream().filter(Call::isCall).toList();
        counts(
                column,
                calls.size(),
                calls.stream()
                        .filter(call -> !CallReplay.Result.equalsKernel(call))
                        .count());
        List<SysctlWrite> writes = Recordings.writes(kernel);
        counts(
                column,
                writes.size(),
                writes.stream().filter(SysctlWrite::isAtOffset).count());
        List<SysctlWrite> writers = Recordings.writers(kernel);
        counts(
                column,
                writers.size(),
                writers.stream().filter(writer -> Setting.of(writer).isEmpty()).count());
        return column;
    }

    private void fields(String kernel, List<String> column) throws IOException {
        List<Scenario> helpers = Recordings.helpers(kernel);
        Map<DocumentedDifferences.Kind, Integer> documented = new EnumMap<>(DocumentedDifferences.Kind.class);
        int all = 0;
        int equal = 0;
        for (Scenario scenario : helpers) {
            for (String field : scenario.report().flat().keySet()) {
                Optional<DocumentedDifferences.Row> row = differences.row(field);
                row.ifPresent(listed -> documented.merge(listed.kind(), 1, Integer::sum));
                all++;
                equal += row.isEmpty() ? 1 : 0;
            }
        }
        column.addAll(List.of(Integer.toString(helpers.size()), Integer.toString(all), Integer.toString(equal)));
        for (DocumentedDifferences.Kind kind : DocumentedDifferences.Kind.values()) {
            column.add(Integer.toString(documented.getOrDefault(kind, 0)));
        }
    }

    private static void counts(List<String> column, long all, long documented) {
        column.addAll(List.of(Long.toString(all), Long.toString(all - documented), Long.toString(documented)));
    }

    static String rows(List<List<String>> columns) {
        StringBuilder text = new StringBuilder();
        for (int row = 0; row < columns.get(0).size(); row++) {
            for (List<String> column : columns) {
                text.append("| ").append(column.get(row)).append(' ');
            }
            text.append("|\n");
            if (row == 0) {
                text.append("|---").append("|---:".repeat(columns.size() - 1)).append("|\n");
            }
        }
        return text.toString();
    }

    /** Returns a page with this table between its markers. */
    String into(String document) throws IOException {
        int begin = document.indexOf(BEGIN) + BEGIN.length();
        int end = document.indexOf(END);
        if (begin < BEGIN.length() || end < begin) {
            throw new IOException("no place for the table");
        }
        return document.substring(0, begin) + "\n" + text() + "\n" + document.substring(end);
    }
}
