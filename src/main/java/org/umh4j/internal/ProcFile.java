// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reads files below {@code /proc}, whose content the kernel generates at each read.
 *
 * <p>A file below {@code /proc/sys} returns its content only to the first {@code read(2)}; a second one is at an offset
 * and returns the end. {@link java.nio.file.Files#readString} begins with a read of one byte, and so gets only one
 * digit.
 */
public final class ProcFile {
    private static final int MAX_BYTES = 64 << 10;

    private ProcFile() {}

    /** Returns the result of one {@code read(2)} of at most 64 KiB, without surrounding white space. */
    public static String read(String path) throws IOException {
        byte[] bytes = new byte[MAX_BYTES];
        try (FileInputStream in = new FileInputStream(path)) {
            int size = Math.max(in.read(bytes), 0);
            return new String(bytes, 0, size, StandardCharsets.UTF_8).strip();
        }
    }

    /**
     * Returns the fields of {@code /proc/PID/stat} after the command name, which may itself contain blanks and
     * parentheses. Field 0 is the state.
     */
    public static String[] statFields(String stat) {
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }
}
