// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Files that the kernel makes while they are read.
 *
 * <p>A file below {@code /proc/sys} is answered to the first read, whole or cut to its size; any other read is at an
 * offset and finds the end. {@link java.nio.file.Files#readString} begins with one byte, and gets one digit.
 */
public final class ProcFile {
    private static final int ROOM = 64 << 10;

    private ProcFile() {}

    /** What one read gives, without white space around it. */
    public static String read(String path) throws IOException {
        byte[] bytes = new byte[ROOM];
        try (FileInputStream in = new FileInputStream(path)) {
            int size = Math.max(in.read(bytes), 0);
            return new String(bytes, 0, size, StandardCharsets.UTF_8).strip();
        }
    }

    /**
     * The fields of {@code /proc/PID/stat} behind the name, which may itself contain blanks and parentheses. Number 0 is
     * the state.
     */
    public static String[] fields(String stat) {
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }
}
