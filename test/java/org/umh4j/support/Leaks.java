// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Pipe;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Counts what each test leaks: descriptors of each kind, children alive or dead, threads of the library. Resources
 * that are about to be released have some seconds. A leak fails the test that made it; its children are killed, and
 * the next test starts from that state.
 */
public final class Leaks implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    private static final long PATIENCE_MILLIS = 15_000;
    private static final Path FDS = Path.of("/proc/self/fd");

    static {
        openTheSocketOfTheJdk();
    }

    /**
     * As many sockets as there are when nothing is under way: the library keeps two pairs for the next launches,
     * fewer after
     * a launch that has spoilt one.
     */
    private static long keptSockets;

    /** Of the class and of the test that runs. */
    private State ofClass;

    private State ofTest;

    /** The state before the test. */
    private record State(TreeMap<String, Long> descriptors, List<String> children) {
        static State now() throws IOException {
            return new State(Leaks.descriptors(), Leaks.children());
        }

        void assertNothingAdded() throws IOException, InterruptedException {
            long deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
            while (!added().isEmpty() && System.currentTimeMillis() < deadline) {
                System.gc(); // files of other classes close when they are collected
                Thread.sleep(20);
            }
            List<String> added = added();
            if (!added.isEmpty()) {
                clear();
                Assertions.fail("left: " + added);
            }
        }

        /** The increase since before. A decrease is garbage of an earlier test. */
        private List<String> added() throws IOException {
            List<String> added = new ArrayList<>();
            Leaks.descriptors().forEach((kind, count) -> {
                long before = Math.max(descriptors.getOrDefault(kind, 0L), kind.equals("socket:") ? keptSockets : 0);
                if (count > before) {
                    added.add(count - before + " " + kind);
                }
            });
            newChildren().forEach(pid -> added.add("child " + pid));
            return added;
        }

        private List<String> newChildren() throws IOException {
            List<String> now = Leaks.children();
            now.removeAll(children);
            return now;
        }

        private void clear() throws IOException {
            newChildren()
                    .forEach(pid -> ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly));
        }
    }

    /** With the first of its channels the JDK opens one for good. */
    private static void openTheSocketOfTheJdk() {
        try {
            Pipe pipe = Pipe.open();
            pipe.sink().close();
            pipe.source().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        ProbeProgram.report(); // everything is loaded that is loaded once
        ofClass = State.now();
        if (keptSockets == 0) {
            keptSockets = ofClass.descriptors().getOrDefault("socket:", 0L) + 2; // one pair is kept by now
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        ofTest = State.now();
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException, InterruptedException {
        ofTest.assertNothingAdded();
    }

    /** Leaks of a test are reported for that test; this reports those of the class. */
    @Override
    public void afterAll(ExtensionContext context) throws IOException, InterruptedException {
        ofClass.assertNothingAdded();
        Assertions.assertTrue(libraryThreads().size() <= 3, () -> "threads: " + libraryThreads());
    }

    /** Fails unless, soon, no more descriptors are open than there were, and no child is left. */
    public static void assertNothingLeft(TreeMap<String, Long> before) throws IOException, InterruptedException {
        new State(before, List.of()).assertNothingAdded();
        Assertions.assertTrue(libraryThreads().size() <= 3, () -> "threads: " + libraryThreads());
    }

    /** How many descriptors of each kind are open, but for what the JVM itself opens now and then. */
    public static TreeMap<String, Long> descriptors() throws IOException {
        List<String> kinds = new ArrayList<>();
        try (DirectoryStream<Path> fds = Files.newDirectoryStream(FDS)) {
            for (Path fd : fds) {
                try {
                    kinds.add(Files.readSymbolicLink(fd).toString());
                } catch (IOException e) {
                    // the stream's own, closed since
                }
            }
        }
        return kinds.stream()
                .filter(kind -> !kind.matches(".*(\\.jar|/fd|/modules|\\.class|/test-warnings\\.log(\\.lck)?)|/sys/.*"))
                .map(kind -> kind.replaceAll("\\[\\d+]", ""))
                .collect(Collectors.groupingBy(kind -> kind, TreeMap::new, Collectors.counting()));
    }

    /** The pids of this JVM's children, zombies included; none for pid 1, which adopts all orphans. */
    public static List<String> children() throws IOException {
        List<String> children = new ArrayList<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                try {
                    String list = Files.readString(task.resolve("children")).trim();
                    if (!list.isEmpty()) {
                        children.addAll(List.of(list.split(" ")));
                    }
                } catch (IOException e) {
                    // the thread has ended since
                }
            }
        }
        if (ProcessHandle.current().pid() == 1) {
            children.removeIf(pid -> !Pid.isRunning(Long.parseLong(pid)));
        }
        return children;
    }

    /** The threads that the library started. */
    public static List<String> libraryThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("umh4j"))
                .collect(Collectors.toList());
    }
}
