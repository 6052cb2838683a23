// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of {@code test/native}, compiled where every user may execute it: tests need it, nobody else does. */
public final class NativeProgram {
    private NativeProgram() {}

    private static final Path NATIVE = Path.of("src/main/native");
    /** Of the JDK that runs the tests: a compiler finds another one's by chance. */
    private static final List<String> JNI = jniOf(System.getProperty("java.home") + "/include");

    /** Its path. Sources of the shim that are named are part of it. */
    public static String compile(String name, String... shim) throws IOException, InterruptedException {
        return compile(name, ProbeProgram.FOLDER.resolve(name), "-O2", shim);
    }

    /** The same in another folder, without libraries: for a root folder that has none. */
    public static String compileStatic(String name, Path folder) throws IOException, InterruptedException {
        return compile(name, folder.resolve(name), "-static");
    }

    private static String compile(String name, Path program, String option, String... shim)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("gcc", option, "-Wall", "-Wextra", "-Werror"));
        command.addAll(List.of("-I" + NATIVE, "-o", program.toString()));
        command.addAll(JNI);
        command.add("test/native/" + name + ".c");
        for (String source : shim) {
            command.addAll(List.of(
                    "-U_GNU_SOURCE", "-D_GNU_SOURCE", NATIVE.resolve(source).toString()));
        }
        int status = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (status != 0) {
            throw new IOException("gcc answered " + status);
        }
        return program.toString();
    }

    private static List<String> jniOf(String include) {
        return List.of("-I" + include, "-I" + include + "/linux");
    }

    /** A library for a JVM, likewise. */
    public static Path library(String name) {
        Path library = ProbeProgram.FOLDER.resolve("lib" + name + ".so");
        List<String> command =
                new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I" + NATIVE));
        command.addAll(JNI);
        command.addAll(List.of("-o", library.toString(), "test/native/" + name + ".c"));
        try {
            int status = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (status != 0) {
                throw new IllegalStateException("the compiler ended with " + status);
            }
            return library;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
