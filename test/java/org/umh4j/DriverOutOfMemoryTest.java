// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.RequiresRoot;

/** A driver that the kernel kills because its cgroup has no memory left. */
@ExtendWith(Leaks.class)
@RequiresRoot
@Timeout(60)
final class DriverOutOfMemoryTest {
    private static final String LIMIT_BYTES = "" + (16 << 20);

    @Test
    void driverKilledByTheOomKillerIsReported() throws Exception {
        Path group = limitedGroup();
        BlockingQueue<WaitStatus> ends = new LinkedBlockingQueue<>();
        byte[] hog = DriverBlobs.script("read line", "x=xxxxxxxx", "while :; do x=$x$x; done");
        try (UsermodeDriver driver = UsermodeDriver.load("hog", hog).atExit(ends::add)) {
            driver.fork();
            Files.writeString(group.resolve("cgroup.procs"), "" + driver.tgid());
            Mailbox mailbox = Mailbox.of(driver, 16);
            assertThrows(
                    IOException.class,
                    () -> mailbox.request("go\n".getBytes(), Duration.ofSeconds(DriverBlobs.PATIENCE_SECONDS)));
            assertEquals(
                    9, ends.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).signal());
            assertEquals(0, ends.size());
        } finally {
            delete(group);
        }
    }

    private static Path limitedGroup() throws IOException {
        for (List<String> place : List.of(
                List.of("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), List.of("/sys/fs/cgroup", "memory.max"))) {
            Path group = Path.of(
                    place.get(0), "umh4j-test-oom-" + ProcessHandle.current().pid());
            try {
                Files.createDirectory(group);
                Files.writeString(group.resolve(place.get(1)), LIMIT_BYTES, StandardOpenOption.WRITE); // not a new file
                return group;
            } catch (IOException e) {
                Files.deleteIfExists(group); // not mounted, not ours, or without the controller
            }
        }
        return Need.MEMORY_CONTROLLER.missing();
    }

    /** A group is busy for a moment after its last process has ended. */
    private static void delete(Path group) throws Exception {
        for (int i = 0; ; i++) {
            try {
                Files.delete(group);
                return;
            } catch (IOException e) {
                if (i == 500) {
                    throw e;
                }
                Thread.sleep(10);
            }
        }
    }
}
