// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.LibraryFile;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/**
 * A small program that reports what it was born with as one JSON object: for tests of a {@link Task}, and for
 * {@code umh probe}.
 *
 * <pre>{@code
 * try (HelperProbe probe = HelperProbe.install()) {
 *     String json = probe.report(Task.defaults().cred(Cred.defaults().user("nobody")));
 * }
 * }</pre>
 *
 * <p>The program is part of this jar. {@link #install} writes it into a new directory. Only the JVM's user may write
 * to it; every user may execute the program. {@link #close} deletes both. The report has ids, capabilities,
 * descriptors, limits, namespaces, signals, scheduling, arguments and environment. The program writes it to an
 * additional descriptor, which the report does not list.
 */
public final class HelperProbe implements AutoCloseable {
    private static final int FIRST_AFTER_STANDARD = 3;

    private final Path program;
    private final Path report;

    private HelperProbe(Path program) {
        this.program = program;
        report = program.resolveSibling("report");
    }

    /**
     * Writes the program into the first directory in which programs can be executed: {@code org.umh4j.library.tmpdir},
     * {@code java.io.tmpdir}, {@code /run} and others.
     *
     * @throws IOException if there is none
     */
    public static HelperProbe install() throws IOException {
        NativeLibrary.require();
        List<String> refused = new ArrayList<>();
        for (Path base : LibraryFile.directories()) {
            try {
                Path program = installBelow(base);
                if (Files.isExecutable(program)) {
                    // A helper of another user must be able to execute the program.
                    Files.setPosixFilePermissions(program.getParent(), PosixFilePermissions.fromString("rwx--x--x"));
                    return new HelperProbe(program);
                }
                delete(program);
                refused.add(base + ": mounted noexec");
            } catch (IOException e) {
                refused.add(base + ": " + e.getMessage());
            }
        }
        throw new IOException("no directory for the probe; name one by -D" + NativeLibrary.DIRECTORY_PROPERTY + ": "
                + String.join("; ", refused));
    }

    private static Path installBelow(Path base) throws IOException {
        Path program = LibraryFile.privateDirectory(base).resolve("probe");
        try {
            Files.write(program, LibraryFile.resource("probe.elf"));
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
            return program;
        } catch (IOException e) {
            delete(program);
            throw e;
        }
    }

    private static void delete(Path program) throws IOException {
        Files.deleteIfExists(program);
        Files.deleteIfExists(program.getParent());
    }

    /** Returns the program's path. With the arguments {@code --fd N} it writes its report to descriptor N. */
    public String path() {
        return program.toString();
    }

    /**
     * Starts the program with this task and environment and returns its report.
     *
     * @throws UmhException if the program could not be started
     * @throws IOException if the program has failed
     * @throws InterruptedException if the caller is interrupted
     */
    public String report(Task task, String... environment) throws IOException, InterruptedException {
        byte[][] variables = Bytes.ofAll(Objects.requireNonNull(environment, "environment"), "environment");
        return report(task, Bytes.of(path(), "path"), List.of(variables));
    }

    /** Does the same with another first argument. The strings are bytes without their NUL. */
    public String report(Task task, byte[] argv0, List<byte[]> environment) throws IOException, InterruptedException {
        Objects.requireNonNull(task, "task");
        Objects.requireNonNull(argv0, "argv0");
        Descriptors descriptors = task.descriptors().orElse(Descriptors.none());
        int channel = FIRST_AFTER_STANDARD;
        while (descriptors.contains(channel)) {
            channel++;
        }
        byte[][] argv = {argv0, Bytes.of("--fd", "argv"), Bytes.of(Integer.toString(channel), "argv")};
        SubprocessInfo info = SubprocessInfo.of(
                        Bytes.of(path(), "path"),
                        argv,
                        Objects.requireNonNull(environment, "environment").toArray(byte[][]::new))
                .task(task.descriptors(descriptors.open(
                        channel,
                        report,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING)));
        run(info);
        return Files.readString(report);
    }

    private static void run(SubprocessInfo info) throws IOException, InterruptedException {
        try (Helper helper = UsermodeHelper.start(info)) {
            WaitStatus status = helper.waitFor();
            if (!status.success()) {
                throw new IOException("the probe ended with " + status);
            }
        }
    }

    /** Deletes the program. */
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(report);
        delete(program);
    }
}
