// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Makes the tables and plots of {@code docs/benchmarks.md} from raw results.
 *
 * <p>Usage: {@code Report RESULTS PAGE DIRECTORY-OF-PLOTS}. The text between the page's two markers is replaced.
 */
public final class Report {
    private static final String BEGIN = "<!-- bench-report: make bench-report -->\n";
    private static final String END = "<!-- end of bench-report -->\n";

    private final List<Row> rows;
    private final Path plots;
    private final StringBuilder text = new StringBuilder();

    private Report(List<Row> rows, Path plots) {
        this.rows = rows;
        this.plots = plots;
    }

    public static void main(String[] arguments) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            rows.add(mapper.readValue(line, Row.class));
        }
        Path page = Path.of(arguments[1]);
        Path plots = Files.createDirectories(Path.of(arguments[2]));
        String old = Files.readString(page);
        String made = new Report(rows, plots).text();
        Files.writeString(
                page, old.substring(0, old.indexOf(BEGIN) + BEGIN.length()) + made + old.substring(old.indexOf(END)));
    }

    private String text() throws IOException {
        text.append(new Goals(rows).table());
        Map<String, List<Row>> tables = rows.stream()
                .collect(Collectors.groupingBy(
                        row -> row.group() + ", " + row.target() + ", JDK " + row.jdk(),
                        LinkedHashMap::new,
                        Collectors.toList()));
        for (Map.Entry<String, List<Row>> table : tables.entrySet()) {
            text.append("\n### ").append(table.getKey()).append("\n\n");
            Map<String, Map<String, Row>> cells = pivot(table.getValue());
            table(cells, table.getValue().get(0).unit());
            plot(table.getKey(), cells);
        }
        return text.append('\n').toString();
    }

    /** By contender, then by place. */
    private static Map<String, Map<String, Row>> pivot(List<Row> rows) {
        Map<String, Map<String, Row>> cells = new LinkedHashMap<>();
        for (Row row : rows) {
            cells.computeIfAbsent(row.contender(), name -> new LinkedHashMap<>())
                    .put(row.place(), row);
        }
        return cells;
    }

    private void table(Map<String, Map<String, Row>> cells, String unit) {
        List<String> places = List.copyOf(cells.values().iterator().next().keySet());
        text.append("| ").append(unit.equals("us") ? "µs" : unit).append(": p50, p99; their ratios");
        places.forEach(place -> text.append(" | ").append(place));
        text.append(" |\n|---").append("|---".repeat(places.size())).append("|\n");
        cells.forEach((contender, row) -> {
            text.append("| ").append(contender);
            places.forEach(place -> text.append(" | ").append(cell(row.get(place), base(cells, place))));
            text.append(" |\n");
        });
    }

    private static Row base(Map<String, Map<String, Row>> cells, String place) {
        return cells.getOrDefault(Contenders.BASE, Map.of()).get(place);
    }

    private static String cell(Row row, Row base) {
        if (row == null) {
            return "";
        }
        String middle = number(row.percentile(50));
        String numbers = row.values().length == 1 ? middle : middle + ", " + number(row.percentile(99));
        return base == null
                ? numbers
                : numbers + String.format(Locale.ROOT, "; **%.2f**, %.1f", row.ratio(base, 50), row.ratio(base, 99));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.1f" : "%.0f", value);
    }

    private void plot(String title, Map<String, Map<String, Row>> cells) throws IOException {
        if (cells.size() < 2
                || cells.values()
                        .iterator()
                        .next()
                        .values()
                        .iterator()
                        .next()
                        .unit()
                        .equals("count")) {
            return;
        }
        String file = title.replaceAll("[^A-Za-z0-9]+", "-") + ".svg";
        Files.writeString(plots.resolve(file), new Plot(title, cells).svg());
        text.append("\n![")
                .append(title)
                .append("](")
                .append(plots.getFileName())
                .append('/')
                .append(file)
                .append(")\n");
    }
}
