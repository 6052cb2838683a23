// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Files of {@code /proc}, as text. */
final class ProcFile {
    private ProcFile() {}

    /**
     * Returns the content without surrounding white space; empty if the file can't be read. A file below /proc/sys
     * returns its content to the first read(2) alone, which here has room for it; that of {@link
     * java.nio.file.Files#readString} has one byte.
     */
    static String read(String path) {
        try (FileInputStream in = new FileInputStream(path)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** Returns the directory where a file system of this type is mounted in the JVM's mount namespace. */
    static Optional<String> mountPoint(String type) {
        return read("/proc/self/mounts")
                .lines()
                .map(line -> line.split(" "))
                .filter(mount -> mount.length > 2 && mount[2].equals(type))
                .map(mount -> mount[1])
                .findFirst();
    }
}
