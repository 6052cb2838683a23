// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.support.Amended;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.Task;

/** Descriptors of a handle that the caller never closes are released; its helper runs on. */
@ExtendWith(Leaks.class)
final class UnclosedHandleTest {
    private static final int HANDLES = 300;

    private static SubprocessInfo piped(String... actions) {
        return ProbeProgram.doing(actions)
                .task(Task.defaults()
                        .descriptors(
                                Descriptors.none().pipeFromJvm(0).pipeToJvm(1).pipeToJvm(2)));
    }

    @Test
    void pipesAndPidfdsOfDroppedHandlesAreClosed() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (int i = 0; i < HANDLES; i++) {
            KillScope scope = i % 2 == 0 ? KillScope.PROCESS : KillScope.GROUP;
            UsermodeHelper.start(Amended.task(piped("exit", "0"), task -> task.scope(scope)));
        }
        Await.until("all are closed", () -> {
            System.gc();
            UsermodeHelper.start(piped("exit", "0")).close(); // the next one that is held has the others closed
            return Leaks.descriptors().equals(before);
        });
    }

    @Test
    void programsOfDroppedDriversAreFreed() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (int i = 0; i < HANDLES; i++) {
            UsermodeDriver driver = DriverBlobs.doing("exit", "0");
            if (i % 10 == 0) {
                driver.fork();
            }
        }
        Await.until("all are closed", () -> {
            System.gc();
            DriverBlobs.doing("exit", "0").close(); // the next one that is held has the others closed
            return Leaks.descriptors().equals(before);
        });
    }

    @Test
    void droppedHandleKillsNothing() throws Exception {
        List<ProcessHandle> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(
                    UsermodeHelper.start(ProbeProgram.doing("pause")).toHandle().orElseThrow());
        }
        for (int i = 0; i < 5; i++) {
            System.gc();
            UsermodeHelper.start(piped("exit", "0")).close();
        }
        for (ProcessHandle process : processes) {
            assertTrue(process.isAlive());
            process.destroyForcibly();
        }
    }

    @Test
    void streamKeepsItsPipeOpen() throws Exception {
        InputStream out =
                UsermodeHelper.start(piped("sleep", "300", "print", "late")).stdout();
        for (int i = 0; i < 5; i++) {
            System.gc();
            UsermodeHelper.start(piped("exit", "0")).close();
        }
        assertEquals("late\n", new String(out.readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII));
        out.close();
    }
}
