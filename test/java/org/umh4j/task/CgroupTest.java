// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.OpenDescriptors;
import org.umh4j.support.OwnCgroup;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;

/** A helper is in the requested cgroup, named by path or descriptor, with clone3 and without. */
@RequiresRoot
@ExtendWith(Leaks.class)
final class CgroupTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "clone3"})
    void helperIsInTheCgroupOfThePathAndOfTheDescriptor(String without) throws Exception {
        try (OwnCgroup cgroup = OwnCgroup.make("born")) {
            Jvm jvm = new Jvm().option("-Dorg.umh4j.without=" + without);
            String out = jvm.run(BornMain.class, cgroup.folder().toString(), cgroup.line())
                    .requireSuccess();
            assertEquals("path true true\ndescriptor true true\nnone false true\n", out);
        }
    }

    /** Prints for each way whether the helper was in the cgroup, by its report, and that the JVM is not. */
    static final class BornMain {
        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            Limits kernel = Limits.defaults();
            try (DirectoryStream<Path> open = Files.newDirectoryStream(folder)) {
                int fd = OpenDescriptors.numberOf(folder);
                say("path", arguments[1], kernel.cgroup(folder.toString()));
                say("descriptor", arguments[1], kernel.cgroup(fd));
                say("none", arguments[1], kernel);
                assertFalse(open.iterator().next().toString().isEmpty(), "the descriptor is still open");
            }
        }

        private static void say(String how, String line, Limits limits) throws IOException {
            Path out = ProbeProgram.FOLDER.resolve("cgroup.json");
            SubprocessInfo info = ProbeProgram.doing("--out", out.toString())
                    .task(Task.defaults().limits(limits));
            assertEquals(
                    0,
                    UsermodeHelper.exec(info, UmhWait.PROC),
                    () -> info.failure().toString());
            boolean there = Report.read(out).get("cgroup").toString().contains(line + "\"");
            boolean here = Files.readString(Path.of("/proc/self/cgroup")).contains(line + "\n");
            System.out.println(how + " " + there + " " + !here);
        }
    }

    /** Linux 6.18 kills each process that is cloned into a cgroup after its first {@code cgroup.kill}. */
    @Test
    void killedCgroupTakesHelpersAgain() throws Exception {
        try (OwnCgroup cgroup = OwnCgroup.make("again")) {
            Task task = Task.defaults().limits(Limits.defaults().cgroup(cgroup.folder()));
            for (int i = 0; i < 3; i++) {
                assertEquals(
                        0, UsermodeHelper.exec(ProbeProgram.doing("exit", "0").task(task), UmhWait.PROC));
                try (Helper helper =
                        UsermodeHelper.start(ProbeProgram.doing("pause").task(task.scope(KillScope.CGROUP)))) {
                    String procs = Files.readString(cgroup.folder().resolve("cgroup.procs"));
                    assertEquals(helper.pid() + "\n", procs);
                }
            }
        }
    }

    @Test
    void failedLaunchLeavesNoProcessInTheCgroup() throws Exception {
        try (OwnCgroup cgroup = OwnCgroup.make("failed")) {
            for (UmhWait wait : List.of(UmhWait.EXEC, UmhWait.PROC, UmhWait.PROC.killable())) {
                SubprocessInfo info = SubprocessInfo.of("/no/such", new String[] {"x"}, null)
                        .task(Task.defaults()
                                .limits(Limits.defaults().cgroup(cgroup.folder().toString())));
                assertEquals(-Errno.ENOENT.number(), UsermodeHelper.exec(info, wait));
            }
            assertEquals("", Files.readString(cgroup.folder().resolve("cgroup.procs")));
            assertTrue(
                    Files.readString(cgroup.folder().resolve("cgroup.events")).contains("populated 0"));
        }
    }
}
