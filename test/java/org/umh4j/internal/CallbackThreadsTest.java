// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.Helper;
import org.umh4j.HelperListener;
import org.umh4j.Mailbox;
import org.umh4j.SubprocessInfo;
import org.umh4j.Supervisor;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** A callback that blocks delays neither the library nor another callback. */
@ExtendWith(Leaks.class)
final class CallbackThreadsTest {
    private static final int MANY = 200;
    private static final long SECONDS = Await.PATIENCE.toSeconds();

    private final CountDownLatch opened = new CountDownLatch(1);
    private final AtomicInteger blocked = new AtomicInteger();
    private final List<AutoCloseable> made = new ArrayList<>();

    /** Every way by which code of a caller's is called in a thread of the library. */
    enum Way {
        EXIT_FUTURE {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                helper().onExit().thenAccept(status -> test.stay());
            }
        },
        PROCESS_EXIT_FUTURE {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                helper().toProcess().onExit().thenAccept(process -> test.stay());
            }
        },
        INIT_OF_NO_WAIT {
            @Override
            void block(CallbackThreadsTest test) {
                exec(ProbeProgram.doing("exit", "0").init((info, cred) -> {
                    test.stay();
                    return cred;
                }));
            }
        },
        CLEANUP_OF_NO_WAIT {
            @Override
            void block(CallbackThreadsTest test) {
                exec(ProbeProgram.doing("exit", "0").cleanup(info -> test.stay()));
            }
        },
        CLEANUP_OF_A_CALLER_WHO_LEFT {
            @Override
            void block(CallbackThreadsTest test) {
                SubprocessInfo info = ProbeProgram.doing("sleep", "20").cleanup(left -> test.stay());
                Thread.currentThread().interrupt();
                assertEquals(-Errno.EINTR.number(), UsermodeHelper.exec(info, UmhWait.PROC.killable()));
                assertTrue(Thread.interrupted());
            }
        },
        LISTENER {
            @Override
            void block(CallbackThreadsTest test) {
                HelperListener listener = new HelperListener() {
                    @Override
                    public void started(String path, long pid, Duration launch) {
                        test.stay();
                    }
                };
                UsermodeHelper.addListener(listener);
                test.made.add(() -> UsermodeHelper.removeListener(listener));
                UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            }
        },
        DRIVER_EXIT_ROUTINE {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                UsermodeDriver driver = DriverBlobs.doing("exit", "0").atExit(status -> test.stay());
                test.made.add(driver);
                driver.fork();
            }
        },
        SUPERVISOR_LISTENER {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                test.made.add(Supervisor.of(DriverBlobs.doing("cat"), 1 << 10)
                        .listener(change -> test.stay())
                        .start());
            }
        },
        REPLY {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                UsermodeDriver driver = DriverBlobs.doing("cat");
                test.made.add(driver);
                driver.fork();
                Mailbox.of(driver, 1 << 10).requestAsync(new byte[] {1}).thenAccept(bytes -> test.stay());
            }
        },
        INIT_OF_A_RESTART {
            @Override
            void block(CallbackThreadsTest test) throws Exception {
                AtomicInteger forks = new AtomicInteger();
                UsermodeDriver driver = DriverBlobs.doing("cat").init((info, cred) -> {
                    if (forks.incrementAndGet() == 2) {
                        test.stay();
                    }
                    return cred;
                });
                test.made.add(Supervisor.of(driver, 1 << 10)
                        .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
                        .start());
                driver.kill();
            }
        };

        abstract void block(CallbackThreadsTest test) throws Exception;

        private static Helper helper() throws UmhException {
            return UsermodeHelper.start(ProbeProgram.doing("sleep", "20")); // a future that is done calls back at once
        }

        private static void exec(SubprocessInfo info) {
            assertEquals(0, UsermodeHelper.exec(info, UmhWait.NO_WAIT));
        }
    }

    /** A callback that does not return. */
    private void stay() {
        blocked.incrementAndGet();
        boolean interrupted = false;
        for (boolean over = false; !over; ) {
            try {
                opened.await();
                over = true;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        assertFalse(interrupted, "nobody interrupts a callback");
    }

    @AfterEach
    void letAllGo() throws Exception {
        opened.countDown();
        for (AutoCloseable one : made) {
            one.close();
        }
        Await.until("the threads end", () -> workers() <= 2);
    }

    private static long workers() {
        return Leaks.libraryThreads().stream()
                .filter(name -> name.contains("worker"))
                .count();
    }

    private void block(int count, Way way) throws Exception {
        int before = blocked.get();
        for (int i = 0; i < count; i++) {
            way.block(this);
        }
        Await.until(count + " " + way + " block", () -> blocked.get() >= before + count);
    }

    @ParameterizedTest
    @EnumSource
    void twoBlockedCallbacksDelayNoOther(Way way) throws Exception {
        block(2, way);
        assertAllElseWorks();
        block(1, way);
        assertAllElseWorks();
    }

    @Test
    void twoHundredBlockedCallbacksDelayNoOther() throws Exception {
        for (Way way : Way.values()) {
            block(MANY / Way.values().length, way);
        }
        assertAllElseWorks();
    }

    /**
     * A file system that does not answer, played by a lease whose holder keeps it: the open(2) of each call goes on
     * in one of
     * the library's threads.
     */
    @Test
    void twoHundredHangingOpensDelayNoOther(@TempDir Path folder) throws Exception {
        Path hanging = Files.writeString(folder.resolve("hanging"), "x");
        CountDownLatch over = new CountDownLatch(MANY);
        Process lease = new ProcessBuilder(NativeProgram.compile("lease"), hanging.toString(), "-1").start();
        try {
            assertEquals('h', lease.getInputStream().read());
            for (int i = 0; i < MANY; i++) {
                Way.exec(ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().descriptors(Descriptors.none().open(7, hanging, StandardOpenOption.READ)))
                        .cleanup(info -> over.countDown()));
            }
            Await.until("all of them hang", () -> workers() >= MANY);
            assertAllElseWorks();
            assertEquals(MANY, over.getCount());
        } finally {
            lease.destroyForcibly().waitFor();
        }
        assertTrue(over.await(SECONDS, TimeUnit.SECONDS), "they go on when the file does");
    }

    /** Our own timers do not hang on the JDK's, which calls what users let hang on their timeouts. */
    @Test
    void blockedTimerOfTheJdkDelaysNothing() throws Exception {
        CompletableFuture<Void> late = new CompletableFuture<>();
        late.whenComplete((none, timeout) -> stay()); // first: of one that is over it would be this thread that stays
        late.orTimeout(1, TimeUnit.MILLISECONDS);
        Await.until("it blocks", () -> blocked.get() == 1);
        assertAllElseWorks();
    }

    private void assertAllElseWorks() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("cat")
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))))) {
            CompletableFuture<Process> end = helper.toProcess().onExit();
            helper.stdin().write(1);
            assertEquals(1, helper.stdout().read());
            helper.stdin().close();
            assertEquals(0, end.get(SECONDS, TimeUnit.SECONDS).exitValue());
            assertEquals(0, helper.onExit().get(SECONDS, TimeUnit.SECONDS).exitCode());
        }
        CountDownLatch cleaned = new CountDownLatch(1);
        Way.exec(ProbeProgram.doing("exit", "0").init((info, cred) -> cred).cleanup(info -> cleaned.countDown()));
        assertTrue(cleaned.await(SECONDS, TimeUnit.SECONDS), "a helper that nobody waits for is started");
        assertOthersAreTold();
        assertDriverIsRestarted();
    }

    private static void assertOthersAreTold() throws Exception {
        CountDownLatch notified = new CountDownLatch(1);
        HelperListener listener = new HelperListener() {
            @Override
            public void exited(String path, long pid, WaitStatus status, Duration lifetime) {
                notified.countDown();
            }
        };
        UsermodeHelper.addListener(listener);
        try {
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.EXEC);
            assertTrue(notified.await(SECONDS, TimeUnit.SECONDS), "another listener is told");
        } finally {
            UsermodeHelper.removeListener(listener);
        }
    }

    private static void assertDriverIsRestarted() throws Exception {
        BlockingQueue<Supervisor.State> states = new LinkedBlockingQueue<>();
        CountDownLatch routine = new CountDownLatch(2);
        UsermodeDriver driver = DriverBlobs.doing("pause").atExit(status -> routine.countDown());
        try (Supervisor supervisor = Supervisor.of(driver, 1 << 10)
                .backoff(Duration.ofMillis(1), Duration.ofMillis(1))
                .healthCheck(new byte[] {1}, Duration.ofMillis(20), Duration.ofMillis(20)) // it never replies
                .listener(change -> states.add(change.state()))
                .start()) {
            for (Supervisor.State state = supervisor.state(); state != Supervisor.State.BACKING_OFF; ) {
                state = states.poll(SECONDS, TimeUnit.SECONDS);
                assertTrue(state != null, "an unhealthy driver is noticed");
            }
            assertEquals(Supervisor.State.STARTING, states.poll(SECONDS, TimeUnit.SECONDS));
            assertTrue(routine.await(SECONDS, TimeUnit.SECONDS), "its routine runs each time");
        }
    }

    @Test
    void callbacksThatDoNotBlockShareTwoThreads() throws Exception {
        AtomicInteger done = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger now = new AtomicInteger();
        for (int i = 0; i < 100_000; i++) {
            CallbackThreads.execute(() -> {
                most.accumulateAndGet(now.incrementAndGet(), Math::max);
                now.decrementAndGet();
                done.incrementAndGet();
            });
        }
        Await.until("all are done", () -> done.get() == 100_000);
        assertTrue(
                most.get() <= 4, () -> most + " at once"); // two, and two more where a busy machine has stopped those
    }

    @Test
    void eachCallbackFindsACleanThread() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        Runnable look = () -> {
            Thread thread = Thread.currentThread();
            seen.add(thread.isInterrupted() + " " + thread.isDaemon() + " "
                    + (thread.getContextClassLoader() == ClassLoader.getSystemClassLoader()));
            thread.interrupt();
            thread.setContextClassLoader(null);
            throw new IllegalStateException("of the test");
        };
        for (int i = 0; i < 20; i++) {
            CallbackThreads.execute(look);
        }
        for (int i = 0; i < 20; i++) {
            assertEquals("false true true", seen.poll(SECONDS, TimeUnit.SECONDS));
        }
    }
}
