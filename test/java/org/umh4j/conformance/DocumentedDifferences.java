// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The table "Attributes" of {@code docs/differences.md}: the fields that may differ from a kernel's helper. */
public final class DocumentedDifferences {
    /** The reason for a difference. */
    public enum Kind {
        /** The same rule gives another value on another host. */
        HOST,
        /** A process can only approximate it. */
        APPROXIMATE,
        /** A process can't change it. */
        IMPOSSIBLE,
        /** Only one of the two reports has it. */
        ONE_SIDED
    }

    /** A field, or a group of them, that the table lists. */
    public record Row(String name, Kind kind) {
        private boolean covers(String field) {
            return field.equals(name) || field.startsWith(name + ".");
        }
    }

    private static final Pattern FIELD = Pattern.compile("`([a-zA-Z0-9_.]+)`");

    private final List<Row> rows;

    DocumentedDifferences(List<String> lines) {
        List<Row> read = new ArrayList<>();
        boolean inside = false;
        for (String line : lines) {
            if (line.startsWith("## ")) {
                inside = line.equals("## Attributes");
            } else if (inside && line.startsWith("| `")) {
                read.addAll(rows(line));
            }
        }
        this.rows = List.copyOf(read);
    }

    public static DocumentedDifferences read() throws IOException {
        return new DocumentedDifferences(Files.readAllLines(Path.of("docs/differences.md")));
    }

    private static List<Row> rows(String line) {
        String[] cells = line.split("\\|");
        Kind kind = Kind.valueOf(cells[2].trim().toUpperCase(Locale.ROOT).replace('-', '_'));
        List<Row> rows = new ArrayList<>();
        Matcher matcher = FIELD.matcher(cells[1]);
        while (matcher.find()) {
            rows.add(new Row(matcher.group(1), kind));
        }
        return rows;
    }

    /** All rows, in the order of the table. */
    public List<Row> rows() {
        return rows;
    }

    /** The row of a field, or of the smallest group that has the field. */
    public Optional<Row> row(String field) {
        return rows.stream()
                .filter(row -> row.covers(field))
                .max(Comparator.comparing(row -> row.name().length()));
    }
}
