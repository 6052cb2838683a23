// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** The examples, run from their source files as a user runs them. */
final class ExamplesTest {
    private static final Path FOLDER = Path.of("examples");

    private record Outcome(int exitCode, String out) {}

    private static Outcome run(Path input, String example, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(new Jvm().command(Main.class));
        command.set(command.size() - 1, FOLDER.resolve(example + ".java").toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(input.toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes());
        return new Outcome(process.waitFor(), out);
    }

    private static Outcome run(String example, String... arguments) throws IOException, InterruptedException {
        return run(Path.of("/dev/null"), example, arguments);
    }

    /** A script that every user may execute. */
    private static Path script(Path folder, String name, String text) throws IOException {
        Path script = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return script;
    }

    @Test
    void everyExampleIsOnThePageAndTested() throws IOException {
        String page = Files.readString(FOLDER.resolve("README.md"));
        String tests = Files.readString(Path.of("test/java/org/umh4j/docs/ExamplesTest.java"));
        TreeSet<String> forgotten = new TreeSet<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java"))
                    .filter(name ->
                            !page.contains("(" + name + ")") || !tests.contains("\"" + name.replace(".java", "\"")))
                    .forEach(forgotten::add);
        }
        assertEquals(new TreeSet<String>(), forgotten);
    }

    @Test
    void loaderFallsBackWhereTheFirstProgramIsMissing(@TempDir Path folder) throws Exception {
        Path program = script(
                folder, "modprobe", "[ \"$*\" = '-q -- loop' ] && [ \"$PATH\" = /sbin:/usr/sbin:/bin:/usr/bin ]");
        Outcome outcome = run("ModuleLoader", "loop", "/no/such/modprobe", program.toString());
        assertEquals("/no/such/modprobe: EXEC ENOENT\n" + program + " loaded loop\n", outcome.out());
        assertEquals(0, outcome.exitCode());
    }

    @Test
    void loaderDoesNotTryAnotherProgramWhenTheFirstRefuses(@TempDir Path folder) throws Exception {
        Path program = script(folder, "modprobe", "exit 1");
        Outcome outcome = run("ModuleLoader", "loop", program.toString(), "/bin/true");
        assertEquals(program + " refused loop\n", outcome.out());
        assertEquals(1, outcome.exitCode());
    }

    @Test
    @RequiresRoot
    void coreHandlerKeepsTheWholeDump(@TempDir Path folder) throws Exception {
        byte[] dump = new byte[3_000_000];
        new java.util.Random(1).nextBytes(dump);
        Outcome outcome =
                run(Files.write(folder.resolve("dump"), dump), "CoreHandler", "4711", "11", folder.toString());
        assertEquals("signal 11: exit code 0\n", outcome.out());
        try (GZIPInputStream kept = new GZIPInputStream(Files.newInputStream(folder.resolve("core.4711.gz")))) {
            assertArrayEquals(dump, kept.readAllBytes());
        }
    }

    @Test
    @RequiresRoot
    void networkHelperHasOneCapability() throws Exception {
        Outcome outcome = run("NetworkHelper");
        assertTrue(outcome.out().matches("(?s)lo +UN\\w+ .*UP.*\\nCapEff:\t0000000000001000\\n"), outcome.out());
    }

    @Test
    @RequiresRoot
    void upcallReturnsASecretOrNothing() throws Exception {
        Path program = script(
                ProbeProgram.FOLDER,
                "request-key",
                "case $5 in known) printf secret ;; *) printf half; exit 1 ;; esac");
        assertEquals(new Outcome(0, "a secret of 6 bytes\n"), run("KeyUpcall", program.toString(), "known"));
        assertEquals(new Outcome(1, "refused: exit code 1\n"), run("KeyUpcall", program.toString(), "unknown"));
        assertEquals(new Outcome(2, "not started: EXEC ENOENT\n"), run("KeyUpcall", "/no/such/program", "known"));
    }

    @Test
    @RequiresRoot
    void jobEndsWithAllItsProcesses() throws Exception {
        String mount = Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .filter(line -> line.contains(" - cgroup2 "))
                .map(line -> line.split(" ")[4])
                .findFirst()
                .orElse("/no/cgroup2");
        Path group = Path.of(mount, "umh4j-example-" + ProcessHandle.current().pid());
        Need.CGROUP.orSkip();
        Outcome outcome = run("JobExecutor", group.toString(), "100", "setsid sleep 1000 & exit 7");
        assertEquals("exit code 7\nnothing is left\n", outcome.out());
        assertFalse(Files.exists(group));
        assertEquals(
                "took too long\nnothing is left\n",
                run("JobExecutor", group.toString(), "0", "sleep 1000").out());
    }
}
