// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;

/** Requests and replies. An echo driver returns each request as its reply. */
@ExtendWith(Leaks.class)
@Timeout(60)
final class MailboxTest {
    private static final Duration PATIENCE = Duration.ofSeconds(DriverBlobs.PATIENCE_SECONDS);
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final int MIB = 1 << 20;

    private static UsermodeDriver forked(String... actions) throws UmhException {
        UsermodeDriver driver = DriverBlobs.doing(actions);
        driver.fork();
        return driver;
    }

    private static UsermodeDriver forked(byte[] program) throws IOException {
        UsermodeDriver driver = UsermodeDriver.load("script", program);
        driver.fork();
        return driver;
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 65_527, 65_528, 65_529, 65_536, 3 * MIB})
    void replyIsThatOfTheDriver(int size) throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, 4 * MIB)) {
            byte[] message = random(size);
            assertArrayEquals(message, mailbox.request(message, PATIENCE));
            assertArrayEquals(message, mailbox.request(message, PATIENCE));
        }
    }

    @Test
    void eachOfManyThreadsGetsItsReply() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, MIB)) {
            ExecutorService threads = Executors.newFixedThreadPool(8);
            List<Future<Boolean>> right = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                byte[] message = random(i * 37);
                right.add(threads.submit(() -> Arrays.equals(message, mailbox.request(message, PATIENCE))));
            }
            for (Future<Boolean> one : right) {
                assertTrue(one.get());
            }
            threads.shutdown();
        }
    }

    /** A driver as a shell script: it replies to the second request first. */
    @Test
    void repliesMayArriveInAnyOrder() throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load(
                        "reversed",
                        DriverBlobs.script(
                                "dd bs=1 count=9 of=/dev/shm/first$$ status=none",
                                "dd bs=1 count=9 status=none",
                                "cat /dev/shm/first$$",
                                "rm /dev/shm/first$$"))
                .environment("PATH=/usr/bin:/bin")) {
            driver.fork();
            try (Mailbox mailbox = Mailbox.of(driver, 1)) {
                CompletableFuture<byte[]> first = mailbox.requestAsync(new byte[] {1});
                CompletableFuture<byte[]> second = mailbox.requestAsync(new byte[] {2});
                assertArrayEquals(new byte[] {2}, second.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
                assertArrayEquals(new byte[] {1}, first.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void mailboxSurvivesADriverThatDoesNotReply() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, 1)) {
            mailbox.request(new byte[1], PATIENCE);
            driver.kill(Signal.STOP);
            assertThrows(TimeoutException.class, () -> mailbox.request(new byte[] {1}, SHORT));
            driver.kill(Signal.CONT);
            assertArrayEquals(new byte[] {2}, mailbox.request(new byte[] {2}, PATIENCE));
        }
    }

    /** The pipe is full in the middle of the first message; what was given up behind it is never sent. */
    @Test
    void mailboxSurvivesADriverThatDoesNotRead() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, MIB)) {
            mailbox.request(new byte[1], PATIENCE);
            driver.kill(Signal.STOP);
            for (int i = 0; i < 3; i++) {
                assertThrows(TimeoutException.class, () -> mailbox.request(random(MIB), SHORT));
            }
            driver.kill(Signal.CONT);
            assertArrayEquals(random(MIB - 1), mailbox.request(random(MIB - 1), PATIENCE));
        }
    }

    @Test
    void runningRequestFailsWhenTheDriverDies() throws Exception {
        try (UsermodeDriver driver = forked("pause");
                Mailbox mailbox = Mailbox.of(driver, MIB)) {
            CompletableFuture<byte[]> small = mailbox.requestAsync(new byte[1]);
            CompletableFuture<byte[]> large = mailbox.requestAsync(random(MIB));
            driver.kill();
            for (CompletableFuture<byte[]> reply : List.of(small, large)) {
                ExecutionException failure = assertThrows(
                        ExecutionException.class, () -> reply.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
                assertTrue(failure.getCause() instanceof IOException, failure.toString());
            }
            assertThrows(IOException.class, () -> mailbox.request(new byte[1], PATIENCE));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "\\0\\0\\0\\001", "\\0\\0\\0\\001\\0\\0\\0\\001"})
    void requestFailsIfTheDriverDiesWithinAMessage(String begun) throws Exception {
        try (UsermodeDriver driver = forked(DriverBlobs.script("printf '" + begun + "'", "kill -9 $$"));
                Mailbox mailbox = Mailbox.of(driver, MIB)) {
            assertThrows(IOException.class, () -> mailbox.request(new byte[1], PATIENCE));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\0\\0\\0\\002\\0\\0\\0\\001ab", "\\377\\377\\377\\377\\0\\0\\0\\001"})
    void messageBeyondTheLimitClosesTheMailbox(String message) throws Exception {
        try (UsermodeDriver driver = forked(DriverBlobs.script("printf '" + message + "'", "read forever"));
                Mailbox mailbox = Mailbox.of(driver, 1)) {
            IOException failure = assertThrows(IOException.class, () -> mailbox.request(new byte[1], PATIENCE));
            assertTrue(failure.getMessage().contains("the limit is 1"), failure.getMessage());
        }
    }

    @Test
    void replyWithoutRequestIsDropped() throws Exception {
        try (UsermodeDriver driver = forked(DriverBlobs.script("printf '\\0\\0\\0\\001\\0\\0\\0\\007x'", "cat"));
                Mailbox mailbox = Mailbox.of(driver, 1)) {
            assertArrayEquals(new byte[] {5}, mailbox.request(new byte[] {5}, PATIENCE));
        }
    }

    @Test
    void requestBeyondTheLimitIsRejected() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, 2)) {
            assertThrows(IllegalArgumentException.class, () -> mailbox.request(new byte[3], PATIENCE));
            assertEquals(2, mailbox.request(new byte[2], PATIENCE).length);
        }
    }

    @Test
    void closeFailsRunningRequests() throws Exception {
        try (UsermodeDriver driver = forked("pause")) {
            Mailbox mailbox = Mailbox.of(driver, 1);
            CompletableFuture<byte[]> reply = mailbox.requestAsync(new byte[1]);
            mailbox.close();
            assertThrows(ExecutionException.class, () -> reply.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
            assertThrows(IOException.class, () -> mailbox.request(new byte[1], PATIENCE));
        }
    }

    @Test
    void interruptedCallerSendsNothing() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, 1)) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> mailbox.request(new byte[] {1}, PATIENCE));
            assertArrayEquals(new byte[] {2}, mailbox.request(new byte[] {2}, PATIENCE));
        }
    }

    /** Its reply comes late, and is not taken for the next one's. */
    @Test
    void interruptFailsOnlyTheCallersRequest() throws Exception {
        try (UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, 1)) {
            assertTrue(driver.kill(Signal.STOP));
            CompletableFuture<Throwable> thrown = new CompletableFuture<>();
            Thread caller = new Thread(() -> thrown.complete(
                    assertThrows(InterruptedException.class, () -> mailbox.request(new byte[] {1}, PATIENCE))));
            caller.start();
            Await.blocked(caller);
            caller.interrupt();
            thrown.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertTrue(driver.kill(Signal.CONT));
            assertArrayEquals(new byte[] {2}, mailbox.request(new byte[] {2}, PATIENCE));
        }
    }

    @Test
    void virtualThreadsPark() throws Exception {
        Need.VIRTUAL_THREADS.orSkip();
        String out = new Jvm()
                .option("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1")
                .run(OneCarrierMain.class)
                .requireSuccess();
        assertEquals("answered\n", out);
    }

    /**
     * On one carrier: fifty virtual threads fork drivers, send requests, and wait for replies that another one causes.
     */
    static final class OneCarrierMain {
        private static final int THREADS = 50;
        private static final int LARGER_THAN_A_PIPE = 128 << 10;

        public static void main(String[] arguments) throws Exception {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            ThreadFactory threads = (ThreadFactory) Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(builder);
            CountDownLatch asked = new CountDownLatch(THREADS);
            CountDownLatch answered = new CountDownLatch(THREADS);
            List<UsermodeDriver> drivers = new CopyOnWriteArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                threads.newThread(() -> ask(drivers, asked, answered)).start();
            }
            threads.newThread(() -> wake(drivers, asked)).start();
            boolean all = answered.await(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            System.out.println(all ? "answered" : answered.getCount() + " wait");
            drivers.forEach(UsermodeDriver::close);
        }

        private static void ask(List<UsermodeDriver> drivers, CountDownLatch asked, CountDownLatch answered) {
            try {
                UsermodeDriver driver = forked("cat");
                Mailbox mailbox = Mailbox.of(driver, MIB);
                driver.kill(Signal.STOP);
                drivers.add(driver);
                asked.countDown();
                if (mailbox.request(new byte[LARGER_THAN_A_PIPE], PATIENCE).length == LARGER_THAN_A_PIPE) {
                    answered.countDown();
                }
            } catch (Exception e) {
                e.printStackTrace();
            }
        }

        private static void wake(List<UsermodeDriver> drivers, CountDownLatch asked) {
            try {
                asked.await();
                for (UsermodeDriver driver : drivers) {
                    driver.kill(Signal.CONT);
                }
            } catch (Exception e) {
                e.printStackTrace();
            }
        }
    }
}
