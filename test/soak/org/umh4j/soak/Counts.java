// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;

/** The resources of the JVM at one time. */
record Counts(
        long descriptors,
        long memfds,
        long children,
        long zombies,
        long threads,
        long cgroups,
        long residentKib,
        long heapKib) {
    static Counts now() throws IOException {
        Map<String, Long> descriptors = Leaks.descriptors();
        var children = Leaks.children();
        Runtime runtime = Runtime.getRuntime();
        return new Counts(
                descriptors.values().stream().mapToLong(Long::longValue).sum(),
                descriptors.entrySet().stream()
                        .filter(kind -> kind.getKey().contains("memfd:"))
                        .mapToLong(Map.Entry::getValue)
                        .sum(),
                children.size(),
                children.stream()
                        .filter(pid -> DriverBlobs.state(Long.parseLong(pid)).equals("Z"))
                        .count(),
                Leaks.libraryThreads().size(),
                Cgroups.count(),
                resident(),
                runtime.totalMemory() - runtime.freeMemory() >> 10);
    }

    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            return false;
        }
    }

    /** By what they are called in the table. */
    Map<String, Long> named() {
        Map<String, Long> named = new LinkedHashMap<>();
        named.put("descriptors", descriptors);
        named.put("memfds among them", memfds);
        named.put("children", children);
        named.put("zombies among them", zombies);
        named.put("threads of the library", threads);
        named.put("cgroups", cgroups);
        named.put("resident KiB", residentKib);
        return named;
    }
}
