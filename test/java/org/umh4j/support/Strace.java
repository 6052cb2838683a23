// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Has strace tamper with this JVM and what it starts, for the length of one action. */
public final class Strace {
    private static final Path STATUS = Path.of("/proc/thread-self/status");

    private Strace() {}

    /** A fault for a call, as {@code signal=KILL} or {@code error=EIO}; {@code call} may end in {@code :when=2}. */
    public static <T> T inject(String call, String fault, Callable<T> action) throws Exception {
        String[] parts = call.split(":", 2);
        String when = parts.length > 1 ? parts[1] : "when=1";
        return attached(
                List.of("-e", "trace=" + parts[0], "-e", "inject=" + parts[0] + ":" + fault + ":" + when), action);
    }

    private static <T> T attached(List<String> options, Callable<T> action) throws Exception {
        List<String> command = new ArrayList<>(List.of("strace", "-qq", "-f", "-o", "/dev/null"));
        command.addAll(options);
        command.addAll(List.of("-p", Long.toString(ProcessHandle.current().pid())));
        Process strace = new ProcessBuilder(command).inheritIO().start();
        while (Files.readAllLines(STATUS).contains("TracerPid:\t0")) {
            if (!strace.isAlive()) {
                throw new AssertionError("strace ended with " + strace.exitValue());
            }
            Thread.sleep(5);
        }
        try {
            return action.call();
        } finally {
            strace.destroy();
            strace.waitFor();
        }
    }
}
