// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.Helper;
import org.umh4j.Pipeline;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Shell;

/**
 * The descriptors 0, 1 and 2 of a helper: closed after exec, as in the kernel, and open after all other calls. A
 * program that starts with them closed opens its own files there, and writes its warnings to them.
 */
final class StandardDescriptorsTest {
    @TempDir
    private Path directory;

    private Path report;

    @BeforeEach
    void makeReport() throws IOException {
        report = Files.createFile(directory.resolve("report"));
    }

    /** Writes down what it has at 0, 1 and 2, a line each. */
    private SubprocessInfo reporting() {
        // A subshell is a new process, so its redirection is none of the shell's.
        return Shell.script("for fd in 0 1 2; do (readlink /proc/$$/fd/$fd || echo) >>" + report + "; done");
    }

    private String reported() throws IOException {
        return Files.readString(report).replaceAll("pipe:.*", "pipe").replace("\n", "|");
    }

    private String started(SubprocessInfo info) throws Exception {
        try (Helper helper = UsermodeHelper.start(info)) {
            helper.waitFor();
        }
        return reported();
    }

    @Test
    void startGivesDevNull() throws Exception {
        assertEquals("/dev/null|/dev/null|/dev/null|", started(reporting()));
    }

    @Test
    void startGivesExactlyTheNamedDescriptors() throws Exception {
        assertEquals(
                "|pipe||",
                started(reporting()
                        .task(Task.defaults()
                                .descriptors(org.umh4j.task.Descriptors.none().pipeToJvm(1)))));
    }

    @Test
    void devNullCanBeChanged() throws Exception {
        assertEquals(
                "/dev/null|pipe|/dev/null|",
                started(reporting()
                        .task(Task.defaults()
                                .descriptors(
                                        org.umh4j.task.Descriptors.devNull().pipeToJvm(1)))));
    }

    @Test
    void unchangedDescriptorsStayDevNull() throws Exception {
        assertEquals(
                "|/dev/null|/dev/null|",
                started(reporting()
                        .task(Task.defaults()
                                .descriptors(
                                        org.umh4j.task.Descriptors.devNull().without(0)))));
    }

    @Test
    void execLeavesThemClosed() throws Exception {
        UsermodeHelper.exec(reporting(), UmhWait.PROC);
        assertEquals("|||", reported());
    }

    @Test
    void runOpensAllThree() throws Exception {
        UsermodeHelper.run(
                reporting().task(Task.defaults().descriptors(org.umh4j.task.Descriptors.none())),
                Duration.ofMinutes(1));
        assertEquals("/dev/null|pipe|pipe|", reported());
    }

    @Test
    void pipelineOpensAllThree() throws Exception {
        try (Pipeline pipeline = Pipeline.start(
                reporting().task(Task.defaults().descriptors(org.umh4j.task.Descriptors.none())),
                Shell.script("cat"))) {
            pipeline.waitFor();
        }
        assertEquals("/dev/null|pipe|/dev/null|", reported());
    }
}
