// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.OpenDescriptors;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Limits;
import org.umh4j.task.Task;

/**
 * A clone that fails late has already received a descriptor, which the kernel closes again. No descriptor of another
 * thread is closed.
 */
@ExtendWith(Leaks.class)
final class FailedCloneTest {
    private static final Path UNIFIED = Path.of("/sys/fs/cgroup/unified");
    private static final Path ROOT = Files.isDirectory(UNIFIED) ? UNIFIED : Path.of("/sys/fs/cgroup");
    private static final int STARTS = 20_000;

    @Test
    @RequiresRoot
    void descriptorsOfOtherThreadsStayOpen() throws Exception {
        Need.CGROUP.orSkip();
        try (DirectoryStream<Path> removed = removedCgroup()) {
            int cgroup = numberOfRemoved();
            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger lost = new AtomicInteger();
            Thread reader = new Thread(() -> read(over, lost));
            reader.start();
            for (int i = 0; i < STARTS; i++) {
                SubprocessInfo info = ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().limits(Limits.defaults().cgroup(cgroup)));
                assertEquals(-Errno.ENOENT.number(), UsermodeHelper.exec(info, UmhWait.PROC));
                assertEquals(UmhStage.CGROUP, info.failure().orElseThrow().stage());
            }
            over.set(true);
            reader.join();
            assertEquals(0, lost.get());
            assertEquals(0, UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC));
            assertFalse(removed.iterator().hasNext());
        }
    }

    @Test
    @RequiresRoot
    void cgroupFailureIsReportedWithoutClone3() throws Exception {
        Need.CGROUP.orSkip();
        String out = new Jvm()
                .option("-Dorg.umh4j.without=clone3")
                .run(RemovedMain.class)
                .requireSuccess();
        assertEquals("CGROUP\n", out);
    }

    /** Starts a helper in a cgroup that is no more. */
    static final class RemovedMain {
        public static void main(String[] arguments) throws Exception {
            try (DirectoryStream<Path> removed = removedCgroup()) {
                SubprocessInfo info = ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().limits(Limits.defaults().cgroup(numberOfRemoved())));
                int retval = UsermodeHelper.exec(info, UmhWait.PROC);
                System.out.println(info.failure().map(e -> e.stage().name()).orElse("answered " + retval));
                assertFalse(removed.iterator().hasNext());
            }
        }
    }

    private static DirectoryStream<Path> removedCgroup() throws IOException {
        Path group = Files.createDirectory(
                ROOT.resolve("umh4j-removed-" + ProcessHandle.current().pid()));
        DirectoryStream<Path> open = Files.newDirectoryStream(group);
        Files.delete(group);
        return open;
    }

    private static int numberOfRemoved() throws IOException {
        return OpenDescriptors.own().entrySet().stream()
                .filter(descriptor -> descriptor.getValue().contains("umh4j-removed-"))
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    /** Opens and reads files in a loop; it reports a file that other code closes. */
    private static void read(AtomicBoolean over, AtomicInteger lost) {
        while (!over.get()) {
            try (FileInputStream file = new FileInputStream("/proc/self/comm")) {
                Thread.yield();
                lost.addAndGet(file.read() > 0 ? 0 : 1);
            } catch (IOException e) {
                lost.incrementAndGet();
            }
        }
    }
}
