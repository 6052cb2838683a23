// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Compiles C programs for tests by {@code src/main/native/Makefile}, to files that every user may execute. */
public final class NativeProgram {
    private NativeProgram() {}

    /** Compiles a program of {@code test/native} and returns its path. */
    public static String compile(String name) throws IOException, InterruptedException {
        return make("test-program", source(name), ProbeProgram.FOLDER.resolve(name));
    }

    /** Compiles a program of {@code test/native} together with the shim. */
    public static String compileWithShim(String name) throws IOException, InterruptedException {
        return make("test-program", source(name), ProbeProgram.FOLDER.resolve(name), "SHIM=yes");
    }

    /** Compiles a program into another directory without shared libraries: for a root directory that has none. */
    public static String compileStatic(String name, Path folder) throws IOException, InterruptedException {
        return make("test-program", source(name), folder.resolve(name), "LIBC=static");
    }

    /** Compiles a launcher from all C files of a directory, with the flags of the library's own. */
    public static Path launcher(Path sources, Path launcher) throws IOException, InterruptedException {
        return Path.of(make("test-launcher", sources.toString(), launcher));
    }

    /** Compiles a library of {@code test/native} for a JVM; the options are the compiler's. */
    public static Path library(String name, String... options) {
        Path library = ProbeProgram.FOLDER.resolve("lib" + name + options.length + ".so");
        try {
            return Path.of(make("test-library", source(name), library, "OPTIONS=" + String.join(" ", options)));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String source(String name) {
        return "test/native/" + name + ".c";
    }

    private static String make(String target, String source, Path out, String... variables)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("make", "-s", "-f", "src/main/native/Makefile", target, "SOURCE=" + source, "OUT=" + out));
        // The headers of another JDK might be found otherwise.
        command.add("JDK=" + System.getProperty("java.home"));
        command.addAll(List.of(variables));
        ProcessBuilder make = new ProcessBuilder(command).inheritIO();
        make.environment().remove("MAKEFLAGS"); // of a make that runs the tests
        int status = make.start().waitFor();
        if (status != 0) {
            throw new IOException(command + " ended with " + status);
        }
        return out.toString();
    }
}
