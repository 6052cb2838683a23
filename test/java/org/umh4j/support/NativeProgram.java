// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Path;

/** A program of {@code test/native}, compiled where every user may execute it: tests need it, nobody else does. */
public final class NativeProgram {
    private NativeProgram() {}

    /** Its path. */
    public static String compile(String name) throws IOException, InterruptedException {
        return compile(name, ProbeProgram.FOLDER.resolve(name), "-O2");
    }

    /** The same in another folder, without libraries: for a root folder that has none. */
    public static String compileStatic(String name, Path folder) throws IOException, InterruptedException {
        return compile(name, folder.resolve(name), "-static");
    }

    private static String compile(String name, Path program, String option) throws IOException, InterruptedException {
        String source = "test/native/" + name + ".c";
        int status = new ProcessBuilder("gcc", option, "-Wall", "-Wextra", "-Werror", "-o", program.toString(), source)
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("gcc answered " + status);
        }
        return program.toString();
    }
}
