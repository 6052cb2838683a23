// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages that lead through the code name files that exist, and identifiers that these files contain. */
final class ArchitecturePageTest {
    private static final Path PAGE = Path.of("docs/architecture.md");
    /** The directories that the page leaves out of its paths. */
    private static final List<Path> BASES =
            List.of(Path.of(""), Path.of("src/main/java/org/umh4j"), Path.of("src/main/native"));

    private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
    private static final Pattern FILE =
            Pattern.compile("(?:[\\w.-]+/)*(?:[\\w.-]+\\.(?:java|c|h|ld|map|md|json|xml|yml)|Makefile)");
    /** A row of the table: the change, its files, the identifiers there. */
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ([^|]+) \\| ([^|]*`[^|]*) \\| ([^|]*)\\|$");

    private static final String TABLE = "## The file for a change";

    @ParameterizedTest
    @ValueSource(strings = {"docs/architecture.md", "CONTRIBUTING.md"})
    void everyFileOfThePageExists(Path page) throws IOException {
        TreeSet<String> missing = new TreeSet<>();
        for (String code : codes(Files.readString(page))) {
            if (FILE.matcher(code).matches() && Files.notExists(find(code))) {
                missing.add(code);
            }
        }
        assertEquals(new TreeSet<String>(), missing);
    }

    @Test
    void everyIdentifierOfTheTableStandsInAFileOfItsRow() throws IOException {
        TreeSet<String> missing = new TreeSet<>();
        String page = Files.readString(PAGE);
        List<MatchResult> rows =
                ROW.matcher(page.substring(page.indexOf(TABLE))).results().toList();
        for (MatchResult row : rows) {
            StringBuilder text = new StringBuilder();
            for (String file : codes(row.group(2))) {
                Path path = find(file);
                text.append(Files.isRegularFile(path) ? Files.readString(path) : "");
            }
            for (String identifier : codes(row.group(3))) {
                if (!Pattern.compile("\\b" + Pattern.quote(identifier) + "\\b")
                        .matcher(text)
                        .find()) {
                    missing.add(row.group(1) + ": " + identifier);
                }
            }
        }
        assertEquals(new TreeSet<String>(), missing);
        assertTrue(rows.size() >= 25, "rows: " + rows.size());
    }

    private static List<String> codes(String text) {
        return CODE.matcher(text).results().map(code -> code.group(1)).toList();
    }

    /** The file that the page means, or a path that does not exist. */
    private static Path find(String name) {
        return BASES.stream()
                .map(base -> base.resolve(name))
                .filter(Files::exists)
                .findFirst()
                .orElse(Path.of(name));
    }
}
