// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.AsynchronousCloseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.VirtualThread;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/**
 * Pipes and runs of virtual threads that share one carrier. A call that blocked the carrier would block all of them.
 */
final class VirtualThreadStreamsTest {
    private static void assertPasses(Class<?> main) throws Exception {
        Need.VIRTUAL_THREADS.orSkip();
        assertEquals("passed\n", VirtualThread.oneCarrier().run(main).requireSuccess());
    }

    @Test
    void fourHundredReadersDoNotBlockAnUnrelatedHelper() throws Exception {
        assertPasses(ReadersMain.class);
    }

    @Test
    void blockedWriterBlocksNoCarrier() throws Exception {
        assertPasses(WritersMain.class);
    }

    @Test
    void closeAndInterruptEndAParkedRead() throws Exception {
        assertPasses(EndsMain.class);
    }

    @Test
    void runsOfManyVirtualThreadsOverlap() throws Exception {
        assertPasses(RunsMain.class);
    }

    /** 400 virtual threads read from silent helpers, while another one uses a separate helper. */
    static final class ReadersMain {
        public static void main(String[] arguments) throws Exception {
            ThreadFactory factory = VirtualThread.factory();
            List<Helper> silent = new ArrayList<>();
            List<Thread> readers = new ArrayList<>();
            CountDownLatch reading = new CountDownLatch(400);
            AtomicInteger ends = new AtomicInteger();
            for (int i = 0; i < 400; i++) {
                Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                        .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))));
                silent.add(helper);
                readers.add(started(factory, () -> {
                    reading.countDown();
                    if (helper.stdout().read() == -1) {
                        ends.incrementAndGet();
                    }
                }));
            }
            require(reading.await(20, TimeUnit.SECONDS), "a reader holds the carrier");
            AtomicInteger unrelated = new AtomicInteger();
            Thread other = started(factory, () -> {
                SubprocessInfo info = ProbeProgram.doing("cat", "exit", "5")
                        .task(Task.defaults()
                                .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1)));
                try (Helper helper = UsermodeHelper.start(info)) {
                    for (int i = 0; i < 50; i++) {
                        helper.stdin().write(i);
                        require(helper.stdout().read() == i, "another byte");
                    }
                    helper.stdin().close();
                    unrelated.set(helper.waitFor().exitCode());
                }
            });
            join(other);
            require(unrelated.get() == 5, "unrelated helper: " + unrelated);
            require(silent.stream().allMatch(Helper::isAlive), "a silent helper ended");
            for (Helper helper : silent) {
                helper.kill(Signal.KILL);
            }
            for (Thread reader : readers) {
                join(reader);
            }
            silent.forEach(Helper::close);
            require(ends.get() == 400, "ends " + ends);
            System.out.println("passed");
        }
    }

    /** Each writes more than its pipe holds; they are read only when all of them wait. */
    static final class WritersMain {
        public static void main(String[] arguments) throws Exception {
            ThreadFactory factory = VirtualThread.factory();
            byte[] much = new byte[300_000];
            List<Helper> helpers = new ArrayList<>();
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Helper helper = UsermodeHelper.start(ProbeProgram.doing("cat")
                        .task(Task.defaults()
                                .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))));
                helpers.add(helper);
                writers.add(started(factory, () -> {
                    helper.stdin().write(much);
                    helper.stdin().close();
                }));
            }
            for (Helper helper : helpers) { // the main thread is none of the virtual ones
                require(helper.stdout().readAllBytes().length == much.length, "not all of it");
                helper.close();
            }
            for (Thread writer : writers) {
                join(writer);
            }
            System.out.println("passed");
        }
    }

    /** Another thread closes one reader and interrupts a second one. */
    static final class EndsMain {
        public static void main(String[] arguments) throws Exception {
            ThreadFactory factory = VirtualThread.factory();
            AtomicInteger right = new AtomicInteger();
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                    .task(Task.defaults()
                            .descriptors(Descriptors.none().pipeToJvm(1).pipeToJvm(2))))) {
                Thread closed = started(factory, () -> {
                    try {
                        helper.stdout().read();
                    } catch (AsynchronousCloseException e) {
                        right.incrementAndGet();
                    }
                });
                Thread interrupted = started(factory, () -> {
                    try {
                        helper.stderr().read();
                    } catch (InterruptedIOException e) {
                        right.addAndGet(Thread.interrupted() ? 1 : 0);
                    }
                });
                for (Thread reader : List.of(closed, interrupted)) {
                    while (reader.getState() != Thread.State.WAITING) {
                        Thread.sleep(1);
                    }
                }
                helper.reader(1).close();
                interrupted.interrupt();
                join(closed);
                join(interrupted);
            }
            require(right.get() == 2, "right " + right);
            System.out.println("passed");
        }
    }

    /** Each run waits for the one that was started after it: no order of one after the other ends. */
    static final class RunsMain {
        public static void main(String[] arguments) throws Exception {
            ThreadFactory factory = VirtualThread.factory();
            int count = 10;
            java.nio.file.Path[] fifos = new java.nio.file.Path[count + 1];
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i <= count; i++) {
                fifos[i] = ProbeProgram.FOLDER.resolve("fifo" + i);
                require(
                        new ProcessBuilder("mkfifo", fifos[i].toString())
                                        .start()
                                        .waitFor()
                                == 0,
                        "no fifo");
            }
            AtomicInteger right = new AtomicInteger();
            for (int i = 0; i < count; i++) {
                String script =
                        i == count - 1 ? "echo x >" + fifos[i] : "read x <" + fifos[i + 1] + "; echo x >" + fifos[i];
                threads.add(started(factory, () -> {
                    RunResult result =
                            UsermodeHelper.run(org.umh4j.support.Shell.script(script), Duration.ofSeconds(20));
                    right.addAndGet(result.status().success() ? 1 : 0);
                }));
            }
            String out = UsermodeHelper.run(org.umh4j.support.Shell.script("cat " + fifos[0]), Duration.ofSeconds(20))
                    .stdoutText();
            for (Thread thread : threads) {
                join(thread);
            }
            require(out.equals("x\n") && right.get() == count, out + right);
            System.out.println("passed");
        }
    }

    private interface Body {
        void run() throws IOException, InterruptedException;
    }

    private static Thread started(ThreadFactory factory, Body body) {
        Thread thread = factory.newThread(() -> {
            try {
                body.run();
            } catch (IOException | InterruptedException e) {
                e.printStackTrace();
            }
        });
        thread.start();
        return thread;
    }

    private static void join(Thread thread) throws InterruptedException {
        thread.join(20_000);
        require(!thread.isAlive(), thread + " hangs");
    }

    /** Ends the JVM: its other threads may hang. */
    private static void require(boolean condition, String what) {
        if (!condition) {
            System.err.println(what);
            Runtime.getRuntime().halt(1);
        }
    }
}
