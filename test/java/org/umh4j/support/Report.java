// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The report of a process about itself, by field: {@code status.CapEff}, {@code rlimits.NOFILE}. */
public final class Report {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final JsonNode root;

    public Report(JsonNode root) {
        this.root = root;
    }

    public static Report parse(String json) throws IOException {
        return new Report(MAPPER.readTree(json));
    }

    public static Report read(Path file) throws IOException {
        return parse(Files.readString(file));
    }

    /** A file of {@code test/expected}. */
    public static JsonNode expected(String name) throws IOException {
        try (InputStream in = Report.class.getResourceAsStream("/expected/" + name)) {
            if (in == null) {
                throw new IOException("no test/expected/" + name);
            }
            return MAPPER.readTree(in);
        }
    }

    public JsonNode root() {
        return root;
    }

    public JsonNode get(String field) {
        JsonNode node = root;
        for (String part : field.split("\\.")) {
            node = node.path(part);
        }
        return node;
    }

    public String text(String field) {
        return get(field).asText();
    }

    public long number(String field) {
        return get(field).asLong();
    }

    /** A field of /proc/PID/status that is hexadecimal. */
    public long hex(String field) {
        return Long.parseUnsignedLong(text(field), 16);
    }

    /** All fields, each with its value as JSON text; the objects of a list by their numbers: {@code fds.0.link}. */
    public Map<String, String> flat() {
        Map<String, String> fields = new TreeMap<>();
        flatten("", root, fields);
        return fields;
    }

    private static void flatten(String prefix, JsonNode node, Map<String, String> into) {
        if (node.isObject() && !node.isEmpty()) {
            node.properties()
                    .forEach(field -> flatten(
                            prefix.isEmpty() ? field.getKey() : prefix + "." + field.getKey(), field.getValue(), into));
        } else if (node.path(0).isObject()) {
            for (int i = 0; i < node.size(); i++) {
                flatten(prefix + "." + i, node.get(i), into);
            }
        } else {
            into.put(prefix, node.toString());
        }
    }

    @Override
    public String toString() {
        return root.toPrettyString();
    }
}
