// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Path;

/** A program of {@code test/native}, compiled where every user may execute it: tests need it, nobody else does. */
public final class NativeProgram {
    private NativeProgram() {}

    /** Its path. */
    public static String compile(String name) throws IOException, InterruptedException {
        Path program = ProbeProgram.FOLDER.resolve(name);
        String source = "test/native/" + name + ".c";
        int status = new ProcessBuilder("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program.toString(), source)
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("gcc answered " + status);
        }
        return program.toString();
    }
}
