// SPDX-License-Identifier: Apache-2.0
package org.umh4j.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/** The cost of a live helper to the JVM, with ten thousand of them: a descriptor, some heap, no thread. */
@ExtendWith(Leaks.class)
final class TenThousandHelpersTest {
    private static final int HELPERS = 10_000;
    private static final int MOST_THREADS = 3;
    private static final long MOST_BYTES_EACH = 2_048;
    /** The memory that classes and compilers of the JVM take in the meantime. */
    private static final long ROOM_BYTES = 1 << 20;

    @Test
    void liveHelperCostsADescriptorAndUnderTwoKibibytes() throws Exception {
        int threads = threads();
        int descriptors = descriptors();
        long heap = usedHeap();
        List<Helper> helpers = new ArrayList<>(HELPERS);
        try {
            for (int i = 0; i < HELPERS; i++) {
                helpers.add(UsermodeHelper.start(ProbeProgram.doing("pause")));
            }
            int added = threads() - threads;
            assertTrue(added <= MOST_THREADS, () -> added + " threads more: " + Leaks.libraryThreads());
            int opened = descriptors() - descriptors;
            assertTrue(opened <= HELPERS + 4, () -> opened + " descriptors"); // the reaper's two, and the JVM's own
            long bytes = (usedHeap() - heap - ROOM_BYTES) / HELPERS;
            assertTrue(bytes < MOST_BYTES_EACH, () -> bytes + " bytes each");
            endAllAndCheckEach(helpers);
        } finally {
            helpers.forEach(Helper::close);
        }
    }

    private static void endAllAndCheckEach(List<Helper> helpers) throws Exception {
        int[] signals = new int[helpers.size()];
        List<CompletableFuture<WaitStatus>> ends = new ArrayList<>();
        helpers.forEach(helper -> ends.add(helper.onExit()));
        for (int i = 0; i < signals.length; i++) {
            Signal[] deadly = {Signal.KILL, Signal.TERM, Signal.HUP, Signal.USR1};
            Signal signal = deadly[ThreadLocalRandom.current().nextInt(deadly.length)];
            signals[i] = signal.number();
            assertTrue(helpers.get(i).kill(signal));
        }
        for (int i = 0; i < signals.length; i++) {
            assertEquals(signals[i], ends.get(i).get(60, TimeUnit.SECONDS).signal());
            assertEquals(signals[i], helpers.get(i).status().orElseThrow().raw());
        }
    }

    /** Without compilers and collectors, which come and go. */
    private static int threads() throws IOException {
        int count = 0;
        for (Path task : entries("/proc/self/task")) {
            try {
                count += Files.readString(task.resolve("comm")).matches("(C[12] Comp|G1 |GC )(?s).*") ? 0 : 1;
            } catch (IOException e) {
                // it has ended
            }
        }
        return count;
    }

    private static int descriptors() throws IOException {
        return entries("/proc/self/fd").size();
    }

    private static List<Path> entries(String folder) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(folder))) {
            entries.forEach(found::add);
        }
        return found;
    }

    private static long usedHeap() throws InterruptedException {
        for (int i = 0; i < 4; i++) {
            System.gc();
            Thread.sleep(50);
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
