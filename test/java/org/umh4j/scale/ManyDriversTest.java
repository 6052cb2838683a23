// SPDX-License-Identifier: Apache-2.0
package org.umh4j.scale;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Mailbox;
import org.umh4j.UmhException;
import org.umh4j.UsermodeDriver;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.Combinations;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.task.Limits;
import org.umh4j.task.Task;

/** Many drivers, drivers that die, and many bytes for one driver: each caller gets a result, and nothing leaks. */
@ExtendWith(Leaks.class)
@Timeout(300)
final class ManyDriversTest {
    private static final Duration PATIENCE = Duration.ofSeconds(DriverBlobs.PATIENCE_SECONDS);
    private static final int MIB = 1 << 20;
    private static final long TRANSFER_MIB = 1_024;
    /** Resident memory may grow by what the collector and the compilers take; a leak of the loops would be beyond. */
    private static final long ROOM_KIB = 64 << 10;

    private static final int TIMES = Combinations.times(1_000);

    /** Each a thousand times. A request is under way where the driver lives to get one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "before exec",
                "at exec",
                "at once",
                "in the middle of a reply",
                "in the middle of a request",
                "on close",
                "stopped",
                "out of memory"
            })
    void callersLearnOfEachWayADriverDies(String point) throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        AtomicInteger ends = new AtomicInteger();
        int begun = 0;
        try (UsermodeDriver driver = dying(point).atExit(status -> ends.incrementAndGet())) {
            for (int i = 0; i < TIMES; i++) {
                begun += dieOnce(driver, point) ? 1 : 0;
            }
        }
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (ends.get() < begun && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        assertEquals(begun, ends.get(), "exit routines");
        assertTrue(point.equals("before exec") || begun == (point.equals("at exec") ? 0 : TIMES), begun + " had begun");
        Leaks.assertNothingLeft(before);
    }

    private static UsermodeDriver dying(String point) throws IOException {
        return switch (point) {
            case "before exec" -> DriverBlobs.doing("pause");
            case "at exec" -> UsermodeDriver.load("none", "#!/no/such/interpreter\n".getBytes());
            case "at once" -> DriverBlobs.doing("exit", "1");
            case "in the middle of a reply" -> DriverBlobs.doing("print", "half", "kill", "9");
            case "in the middle of a request" -> DriverBlobs.doing("pause");
            case "out of memory" ->
                DriverBlobs.doing("hog")
                        .task(Task.defaults().limits(Limits.defaults().rlimit(Rlimit.AS, 16 * MIB, 16 * MIB)));
            default -> DriverBlobs.doing("cat");
        };
    }

    /** Whether there was a process. */
    private static boolean dieOnce(UsermodeDriver driver, String point) throws Exception {
        if (point.equals("before exec")) {
            return forkAndKill(driver);
        }
        if (point.equals("at exec")) {
            assertFails("EXEC ENOENT", assertThrows(UmhException.class, driver::fork));
            return false;
        }
        driver.fork();
        Mailbox mailbox = Mailbox.of(driver, 2 * MIB);
        if (point.equals("on close")) {
            mailbox.request(new byte[1], PATIENCE);
            mailbox.close();
        } else {
            if (point.equals("stopped")) {
                driver.kill(Signal.STOP);
            }
            CompletableFuture<byte[]> reply = post(mailbox, point.equals("in the middle of a request") ? MIB : 1);
            if (point.equals("stopped")) {
                assertThrows(TimeoutException.class, () -> mailbox.request(new byte[1], Duration.ofMillis(1)));
            }
            if (point.equals("stopped") || point.equals("in the middle of a request")) {
                driver.kill();
            }
            assertThrows(Exception.class, () -> reply.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
            assertTrue(reply.isCompletedExceptionally(), "no answer within the deadline");
        }
        WaitStatus status = driver.onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertTrue(status.raw() != 0 || point.equals("on close"), status.toString());
        assertThrows(IOException.class, () -> mailbox.request(new byte[1], PATIENCE));
        return true;
    }

    /** The caller knows the pid before the program's first instruction, so the signal may end it before or after. */
    private static boolean forkAndKill(UsermodeDriver driver) throws Exception {
        Thread killer = new Thread(() -> {
            while (driver.tgid() == 0) {
                Thread.onSpinWait();
            }
            ProcessHandle.of(driver.tgid()).ifPresent(ProcessHandle::destroyForcibly);
        });
        killer.start();
        try {
            driver.fork();
            assertEquals(
                    9,
                    driver.onExit()
                            .get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS)
                            .raw());
            return true;
        } catch (UmhException e) {
            assertFails("KILLED EINTR", e);
            return false;
        } finally {
            Await.end(killer);
        }
    }

    private static void assertFails(String how, UmhException failure) {
        assertEquals(how, failure.stage() + " " + failure.errnoName());
    }

    private static CompletableFuture<byte[]> post(Mailbox mailbox, int size) {
        try {
            return mailbox.requestAsync(new byte[size]);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Test
    void anySizeIsEchoedUnchanged() throws Exception {
        CRC32C sent = new CRC32C();
        CRC32C received = new CRC32C();
        long before = residentKiB();
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            Thread writer = new Thread(() -> send(driver, sent));
            writer.start();
            byte[] chunk = new byte[MIB];
            long total = 0;
            InputStream from = driver.pipeFromUmh().stream();
            for (int size = from.read(chunk); size >= 0; size = from.read(chunk)) {
                received.update(chunk, 0, size);
                total += size;
            }
            writer.join();
            assertEquals(TRANSFER_MIB * MIB, total);
            assertEquals(sent.getValue(), received.getValue());
        }
        assertFlat(before);
    }

    private static void send(UsermodeDriver driver, CRC32C sum) {
        byte[] chunk = new byte[MIB];
        Random random = new Random(1);
        try (OutputStream to = driver.pipeToUmh().stream()) {
            for (long i = 0; i < TRANSFER_MIB; i++) {
                random.nextBytes(chunk);
                sum.update(chunk);
                to.write(chunk);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Driver and JVM both wait to write; a read lets both continue. */
    @Test
    void bothPipesMayBeFull() throws Exception {
        byte[] bytes = new byte[4 * MIB];
        new Random(2).nextBytes(bytes);
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            Thread writer = new Thread(() -> {
                try (OutputStream to = driver.pipeToUmh().stream()) {
                    to.write(bytes);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            writer.start();
            while (writer.getState() != Thread.State.WAITING
                    || !DriverBlobs.state(driver.tgid()).equals("S")) {
                assertTrue(writer.isAlive(), "the pipes are larger than the test");
                Thread.onSpinWait();
            }
            assertArrayEquals(bytes, driver.pipeFromUmh().stream().readAllBytes());
            writer.join();
        }
    }

    @Test
    void mailboxMayHaveBothPipesFull() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            Mailbox mailbox = Mailbox.of(driver, MIB);
            List<CompletableFuture<byte[]>> replies = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                replies.add(mailbox.requestAsync(new byte[MIB - i]));
            }
            for (int i = 0; i < 64; i++) {
                assertEquals(MIB - i, replies.get(i).get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).length);
            }
        }
    }

    @Test
    void twoHundredDriversLiveAtOnce() throws Exception {
        List<UsermodeDriver> drivers = new ArrayList<>();
        List<Mailbox> mailboxes = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                UsermodeDriver driver = DriverBlobs.doing("cat");
                drivers.add(driver);
                driver.fork();
                mailboxes.add(Mailbox.of(driver, 4));
            }
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 200; i++) {
                    byte[] message = {(byte) round, (byte) i};
                    assertArrayEquals(message, mailboxes.get(i).request(message, PATIENCE));
                }
            }
            assertEquals(
                    200, drivers.stream().map(UsermodeDriver::tgid).distinct().count());
            assertTrue(Leaks.libraryThreads().size() <= 3, () -> "threads: " + Leaks.libraryThreads());
        } finally {
            drivers.forEach(UsermodeDriver::close);
        }
    }

    @Test
    void loadsAndUnloadsLeakNoMemory() throws Exception {
        byte[] program = java.util.Arrays.copyOf(DriverBlobs.probe(), 2 * MIB);
        for (int i = 0; i < 20; i++) {
            loadAndUnload(program);
        }
        long before = residentKiB();
        for (int i = 0; i < 300; i++) {
            loadAndUnload(program);
        }
        assertFlat(before);
    }

    private static void loadAndUnload(byte[] program) throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load("probe", program).arguments("cat")) {
            driver.fork();
            Mailbox mailbox = Mailbox.of(driver, 1);
            assertArrayEquals(new byte[] {1}, mailbox.request(new byte[] {1}, PATIENCE));
        }
    }

    private static void assertFlat(long before) throws IOException {
        long grown = residentKiB() - before;
        assertTrue(grown < ROOM_KIB, () -> "resident memory has grown by " + grown + " KiB");
    }

    private static long residentKiB() throws IOException {
        System.gc();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS");
    }
}
