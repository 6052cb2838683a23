// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;

/**
 * The probe at the paths at which a kernel executed it, below a directory. It reads its commands from files next to it,
 * so its arguments and its environment can be the kernel's.
 */
public final class Programs {
    private static final int SET_UID_OWNER = 1000;
    private static final long PATIENCE_SECONDS = 120;

    private final Path root;

    /** Below a directory; in a guest, where the kernel's helpers are the same files, at the paths themselves. */
    public Programs(Path root) {
        this.root = root;
    }

    /** In the directory of the tests. */
    static Programs inTestDirectory() {
        return new Programs(ProbeProgram.FOLDER.resolve("conformance"));
    }

    /** At the paths themselves. */
    static Programs inGuest() {
        return new Programs(Path.of(""));
    }

    /** Installs the probe that a kernel executed as {@code recorded}, with a directory of reports; returns its path. */
    String install(String recorded) throws IOException {
        Path program = path(recorded);
        if (Files.notExists(program)) {
            Files.createDirectories(program.getParent());
            Files.copy(Path.of(ProbeProgram.path()), program);
            if (recorded.endsWith("/suid")) {
                Files.setAttribute(program, "unix:uid", SET_UID_OWNER);
                Files.setAttribute(program, "unix:gid", SET_UID_OWNER);
                Files.setAttribute(program, "unix:mode", 06755);
            }
            Path reports = Files.createDirectories(reports(program));
            Files.setPosixFilePermissions(reports, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        return program.toString();
    }

    /** The path on this host for a recorded path. */
    Path path(String recorded) {
        return Path.of(root.toString(), recorded);
    }

    private static Path reports(Path program) {
        return Path.of(program + ".reports");
    }

    /** Starts the helper by umh4j, waits for its exit and returns its report. */
    Report start(Scenario scenario) throws IOException {
        SubprocessInfo info = scenario.call(this);
        if (scenario.name().endsWith(".core")) {
            run(info);
        } else {
            int retval = UsermodeHelper.exec(info, UmhWait.PROC);
            if (retval != 0) {
                throw new IOException(scenario + " returned " + retval + " " + info.failure());
            }
        }
        return onlyReport(info.path());
    }

    private static void run(SubprocessInfo info) throws IOException {
        try (Helper helper = UsermodeHelper.start(info)) {
            if (!helper.onExit()
                    .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .join()
                    .success()) {
                throw new IOException(info + ": " + helper);
            }
        }
    }

    /** The only report of a program. */
    static Report onlyReport(String program) throws IOException {
        List<Report> reports = removeReports(program);
        if (reports.size() != 1) {
            throw new IOException(program + " has left " + reports.size() + " reports");
        }
        return reports.get(0);
    }

    /** Reads and deletes the reports of a program. */
    static List<Report> removeReports(String program) throws IOException {
        List<Report> reports = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(reports(Path.of(program)), "*[0-9]")) {
            for (Path file : all) {
                reports.add(Report.read(file));
                Files.delete(file);
            }
        }
        return reports;
    }

    /** Sets the commands that the program at a recorded path runs after its report. */
    void setCommands(String recorded, String... words) throws IOException {
        Path file = Path.of(install(recorded) + ".does");
        Path next = Path.of(file + ".next");
        Files.writeString(next, words.length == 0 ? "" : String.join("\n", words) + "\n");
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Whether the file system applies the set-user-ID bit. */
    boolean honorsSetUid() {
        try {
            Files.createDirectories(root);
            return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                    .map(line -> line.split(" "))
                    .filter(fields -> root.startsWith(fields[4]))
                    .max(Comparator.comparing(fields -> fields[4].length()))
                    .map(fields -> !List.of(fields[5].split(",")).contains("nosuid"))
                    .orElse(true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
