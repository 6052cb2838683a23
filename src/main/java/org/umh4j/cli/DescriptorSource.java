// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import org.umh4j.task.Descriptors;

/**
 * The source of a descriptor: the value of {@code --stdin}, {@code --stdout}, {@code --stderr} and {@code --fd}.
 *
 * @param kind the kind
 * @param number umh's descriptor for {@link Kind#INHERIT}; {@link #SAME} for the one with the helper's number
 * @param path the file for those kinds that open one; else empty
 */
record DescriptorSource(Kind kind, int number, String path) {
    /** The kinds of sources. */
    enum Kind {
        /** An open descriptor of umh. */
        INHERIT,
        /** {@code /dev/null}. */
        NULL,
        /** No descriptor. */
        NONE,
        /** An existing file, for reading. */
        READ(StandardOpenOption.READ),
        /** A file, for writing, as by a shell's {@code >}. */
        WRITE(StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING),
        /** A file, for appending, as by a shell's {@code >>}. */
        APPEND(StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
        /** An existing file, for reading and writing. */
        READ_WRITE(StandardOpenOption.READ, StandardOpenOption.WRITE);

        @SuppressWarnings("ImmutableEnumChecker") // List.of makes an immutable list
        private final List<OpenOption> options;

        Kind(OpenOption... options) {
            this.options = List.of(options);
        }
    }

    private static final int SAME = -1;

    static final DescriptorSource INHERITED = new DescriptorSource(Kind.INHERIT, SAME, "");
    static final DescriptorSource ABSENT = new DescriptorSource(Kind.NONE, 0, "");

    /**
     * The descriptors of 0 to 2 that were closed when umh was started. The script passes them, and keeps their numbers
     * reserved.
     */
    private static final Set<String> CLOSED =
            Set.of(System.getProperty("org.umh4j.cli.closed", "").split(","));

    /** Parses {@code inherit}, {@code null}, {@code none}, or a path. */
    static DescriptorSource parse(String text, Kind ofPath) {
        return switch (text) {
            case "inherit" -> INHERITED;
            case "null" -> new DescriptorSource(Kind.NULL, 0, "");
            case "none" -> ABSENT;
            default -> new DescriptorSource(ofPath, 0, text);
        };
    }

    /** Parses also {@code inherit:M}, {@code read:FILE}, {@code write:FILE} and {@code append:FILE}. */
    static DescriptorSource parse(String text) {
        int colon = text.indexOf(':');
        String rest = text.substring(colon + 1);
        return switch (colon < 0 ? "" : text.substring(0, colon)) {
            case "inherit" -> new DescriptorSource(Kind.INHERIT, NumberParser.integer(rest), "");
            case "read" -> new DescriptorSource(Kind.READ, 0, rest);
            case "write" -> new DescriptorSource(Kind.WRITE, 0, rest);
            case "append" -> new DescriptorSource(Kind.APPEND, 0, rest);
            default -> parse(text, Kind.READ_WRITE);
        };
    }

    /** Returns the descriptors with this one as number {@code target}. */
    Descriptors addTo(Descriptors all, int target) {
        return switch (kind) {
            case INHERIT -> inherit(all, target, number == SAME ? target : number);
            case NULL -> all.devNull(target);
            case NONE -> all.without(target);
            default -> all.open(target, CommandLineBytes.bytes(path, "path"), kind.options.toArray(OpenOption[]::new));
        };
    }

    /** A descriptor that was closed in umh is closed in the helper. In the JVM another file has its number. */
    private static Descriptors inherit(Descriptors all, int target, int source) {
        return CLOSED.contains(Integer.toString(source)) ? all.without(target) : all.inherit(target, source);
    }
}
