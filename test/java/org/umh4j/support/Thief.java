// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Path;

/** Native code beside ours that reaps children which are not its own; see {@code test/native/thief.c}. */
public final class Thief {
    static {
        System.load(library().toString());
    }

    private Thief() {}

    /** Waits for any child, and takes its status: its pid or a negative errno. */
    public static native int takeAny();

    /** Ignores SIGCHLD. A JVM that was started so may have changed that again: 25 does. */
    public static native void ignoreChildren();

    private static Path library() {
        String home = System.getProperty("java.home");
        Path library = ProbeProgram.FOLDER.resolve("libthief.so");
        ProcessBuilder compiler = new ProcessBuilder(
                "cc",
                "-shared",
                "-fPIC",
                "-Wall",
                "-Werror",
                "-I" + home + "/include",
                "-I" + home + "/include/linux",
                "-o",
                library.toString(),
                "test/native/thief.c");
        try {
            int status = compiler.inheritIO().start().waitFor();
            if (status != 0) {
                throw new IllegalStateException("the compiler ended with " + status);
            }
            return library;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
