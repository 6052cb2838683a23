// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The cost of live helpers for this JVM. */
record Footprint(long threads, long descriptors, long heapBytes, long residentBytes) {
    private static final int SETTLE_MILLIS = 200;

    /** After a collection. */
    static Footprint now() throws IOException, InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(SETTLE_MILLIS);
        }
        Runtime runtime = Runtime.getRuntime();
        return new Footprint(
                entries("/proc/self/task"),
                entries("/proc/self/fd"),
                runtime.totalMemory() - runtime.freeMemory(),
                resident());
    }

    private static long entries(String folder) throws IOException {
        try (var entries = Files.list(Path.of(folder))) {
            return entries.count();
        }
    }

    private static long resident() throws IOException {
        String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
        return Long.parseLong(pages[1]) * 4096;
    }

    /** The increase by that many additional helpers. */
    void record(Recorder recorder, int live, Footprint before, int more) throws IOException {
        if (more == 0) {
            return;
        }
        recorder.record(live, "added", "threads, in all", "count", one(threads - before.threads));
        recorder.record(
                live, "added", "descriptors, each", "count", one((descriptors - before.descriptors) / (double) more));
        recorder.record(
                live, "added", "heap, bytes each", "count", one((heapBytes - before.heapBytes) / (double) more));
        recorder.record(
                live,
                "added",
                "resident, bytes each",
                "count",
                one((residentBytes - before.residentBytes) / (double) more));
    }

    private static Samples one(double value) {
        Samples samples = new Samples();
        samples.add(value);
        return samples;
    }
}
