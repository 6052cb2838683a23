// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.task.Task;

/** Which descriptors a process has: number and what it refers to, {@code cloexec} before it where the flag is set. */
public final class OpenDescriptors {
    private OpenDescriptors() {}

    /** The descriptors of a probe that was started with these; or the stage of the failure, under -1. */
    public static Map<Integer, String> ofHelper(org.umh4j.task.Descriptors files, Path report) throws IOException {
        SubprocessInfo info = ProbeProgram.doing("fds", report.toString())
                .task(Task.defaults().descriptors(files));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        Map<Integer, String> descriptors = new TreeMap<>();
        if (retval != 0) {
            descriptors.put(-1, info.failure().map(OpenDescriptors::text).orElse("retval " + retval));
            return descriptors;
        }
        for (String line : Files.readAllLines(report)) {
            String[] words = line.split(" ", 2);
            descriptors.put(Integer.valueOf(words[0]), words[1]);
        }
        return descriptors;
    }

    /** The same of one that is started and fails: stage, errno and detail. */
    public static String text(UmhException failure) {
        return failure.stage() + " " + failure.errnoName() + " " + failure.detail();
    }

    /** This JVM's. */
    public static Map<Integer, String> own() throws IOException {
        Map<Integer, String> descriptors = new TreeMap<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path entry : entries) {
                try {
                    descriptors.put(
                            Integer.valueOf(entry.getFileName().toString()),
                            Files.readSymbolicLink(entry).toString());
                } catch (IOException e) {
                    // the stream's own, or closed since
                }
            }
        }
        descriptors.values().removeIf(link -> link.matches("/proc/\\d+/fd"));
        return descriptors;
    }

    /** The number of the one that refers to this file. */
    public static int numberOf(Path file) throws IOException {
        return own().entrySet().stream()
                .filter(descriptor -> descriptor.getValue().equals(file.toString()))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }
}
