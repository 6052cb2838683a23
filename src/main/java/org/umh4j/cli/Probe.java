// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.linux.WaitStatus;

/**
 * The probe program of this jar, as a file that any helper may execute and nobody but us may write.
 *
 * <p>Its report comes through a descriptor that the probe itself leaves out of its list, so that a helper without any
 * descriptor shows none.
 */
final class Probe implements AutoCloseable {
    private final Path program;
    private final Path report;

    Probe() throws IOException {
        program = install();
        report = program.resolveSibling("report");
        // The helper may have another identity; what it may do here is to execute the program.
        Files.setPosixFilePermissions(report.getParent(), PosixFilePermissions.fromString("rwx--x--x"));
    }

    /** In the first folder that lets programs be executed: /tmp may be mounted noexec. */
    private static Path install() throws IOException {
        List<String> refused = new ArrayList<>();
        for (Path base : NativeLibrary.folders()) {
            try {
                Path program = installBelow(base);
                if (Files.isExecutable(program)) {
                    return program;
                }
                delete(program);
                refused.add(base + ": mounted noexec");
            } catch (IOException e) {
                refused.add(base + ": " + e.getMessage());
            }
        }
        throw new IOException("no folder for the probe; name one by -D" + NativeLibrary.FOLDER_PROPERTY + ": "
                + String.join("; ", refused));
    }

    private static Path installBelow(Path base) throws IOException {
        Path program = NativeLibrary.privateFolder(base).resolve("probe");
        try {
            Files.write(program, NativeLibrary.resource("probe.elf"));
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
            return program;
        } catch (IOException e) {
            delete(program);
            throw e;
        }
    }

    private static void delete(Path program) throws IOException {
        Files.deleteIfExists(program);
        Files.delete(program.getParent());
    }

    String path() {
        return program.toString();
    }

    /** What a helper that is born with these options reports, as JSON text. */
    String report(HelperOptions options) throws IOException, InterruptedException {
        int channel = options.fds.keySet().stream().reduce(2, Math::max) + 1;
        SubprocessInfo info = options.setUp(path(), List.of("--fd", Integer.toString(channel)));
        info.task(info.task()
                .descriptors(options.descriptors()
                        .open(
                                channel,
                                report.toString(),
                                StandardOpenOption.WRITE,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING)));
        try (Helper helper = UsermodeHelper.start(info)) {
            WaitStatus status = helper.waitFor();
            if (!status.success()) {
                throw new IOException("the probe ended with " + status);
            }
        }
        return Files.readString(report);
    }

    /**
     * What the JVM has: what a child inherits that is started by ProcessBuilder, which sets nothing right; and the
     * JVM's own descriptors, of which that child has none.
     */
    Map<String, Object> reportOfJvm() throws IOException, InterruptedException {
        Process child = new ProcessBuilder(path(), "--fd", "1")
                .redirectOutput(report.toFile())
                .start();
        if (child.waitFor() != 0) {
            throw new IOException("the probe ended with " + child.exitValue());
        }
        Map<String, Object> state = Json.object(Files.readString(report));
        String[] descriptors = new File("/proc/self/fd").list();
        state.put("fds", descriptors == null ? List.of() : List.of(descriptors));
        return state;
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(report);
        delete(program);
    }
}
