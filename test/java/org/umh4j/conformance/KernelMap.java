// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The table "Born state" of {@code docs/kernel-map.md}: the fields that may differ from a recording. */
public final class KernelMap {
    private static final Pattern FIELD = Pattern.compile("`([a-zA-Z0-9_.]+)`");

    private final List<String> fields;

    private KernelMap(List<String> fields) {
        this.fields = fields;
    }

    public static KernelMap read() throws IOException {
        List<String> fields = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(Path.of("docs/kernel-map.md"))) {
            if (line.startsWith("## ")) {
                inside = line.equals("## Born state");
            } else if (inside && line.startsWith("| `")) {
                Matcher matcher = FIELD.matcher(line.substring(0, line.indexOf('|', 1)));
                while (matcher.find()) {
                    fields.add(matcher.group(1));
                }
            }
        }
        return new KernelMap(fields);
    }

    /** Whether the field, or a group that it is in, is listed. */
    public boolean lists(String field) {
        return fields.stream().anyMatch(listed -> field.equals(listed) || field.startsWith(listed + "."));
    }
}
