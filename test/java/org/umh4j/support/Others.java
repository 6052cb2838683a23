// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Native code in the JVM that closes descriptors of other code and opens files at their numbers: {@code others.c}. */
public final class Others {
    static {
        System.load(NativeProgram.library("others").toString());
    }

    private Others() {}

    /** Has a file of a kind at a number; kind 0 is nothing. */
    public static native void replace(int number, int kind, String program);

    /** Returns the changes of these files, or an empty text, and deletes them. */
    public static native String harm();

    public static native int kinds();

    /** Loads the library. */
    public static void load() {}

    /** The open descriptors, without files of the JDK and the one of this check. */
    public static Map<Integer, String> descriptors() throws IOException {
        Map<Integer, String> found = new TreeMap<>();
        try (DirectoryStream<Path> fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : fds) {
                try {
                    String file = Files.readSymbolicLink(fd).toString();
                    if (!file.matches(".*(\\.jar|/modules|\\.so|/fd|\\.class)")) {
                        found.put(Integer.valueOf(fd.getFileName().toString()), file);
                    }
                } catch (IOException e) {
                    // closed since
                }
            }
        }
        return found;
    }
}
