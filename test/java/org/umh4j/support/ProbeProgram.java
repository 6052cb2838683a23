// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.LibraryFile;

/**
 * The probe of {@code src/main/native/probe} as a file that each user may execute, in a directory that is deleted
 * when the JVM ends.
 */
public final class ProbeProgram {
    /** Where tests put what helpers of any identity may read and execute. */
    public static final Path FOLDER = folder();

    private static final String PATH = install();

    private ProbeProgram() {}

    public static String path() {
        return PATH;
    }

    /** The probe's argument vector for doing something, without a report. */
    public static String[] argv(String... actions) {
        List<String> argv = new ArrayList<>(List.of("probe"));
        argv.addAll(List.of(actions));
        return argv.toArray(String[]::new);
    }

    /** A call of the probe that does something and reports nothing. */
    public static SubprocessInfo doing(String... actions) {
        return SubprocessInfo.of(PATH, argv(actions), new String[0]);
    }

    /** The report of a helper with the default task. */
    public static Report report() {
        return report("HOME=/");
    }

    public static Report report(String... environment) {
        try {
            Path out = Files.createTempFile(FOLDER, "report", ".json");
            SubprocessInfo info = SubprocessInfo.of(PATH, argv("--out", out.toString()), environment);
            int retval = UsermodeHelper.exec(info, UmhWait.PROC);
            if (retval != 0) {
                throw new IllegalStateException("the probe answered " + retval + " " + info.failure());
            }
            return Report.read(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path folder() {
        try {
            Path folder = Files.createTempDirectory("umh4j-test");
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String install() {
        try {
            Path program = FOLDER.resolve("probe");
            Files.write(program, LibraryFile.resource("probe.elf"));
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
            return program.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var paths = Files.walk(folder)) {
            paths.sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            System.err.println("not deleted: " + folder + ": " + e);
        }
    }
}
