// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Files of {@code /proc}, as text. */
final class ProcFile {
    /** A file below /proc/sys is read as a whole by the first read(2), so that read must have room for it. */
    private static final int ROOM = 4 << 20;

    private ProcFile() {}

    /** Returns the content without surrounding white space; empty if the file can't be read. */
    static String read(String path) {
        try (FileInputStream in = new FileInputStream(path)) {
            return new String(in.readNBytes(ROOM), StandardCharsets.UTF_8).strip();
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
