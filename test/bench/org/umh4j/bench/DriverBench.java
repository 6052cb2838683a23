// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.umh4j.Mailbox;
import org.umh4j.UsermodeDriver;

/**
 * Bytes through a driver and back, and requests with their replies; as a ratio to two C processes over pipes, which run
 * the same program in turns with it.
 */
public final class DriverBench {
    private static final int ROUNDS = Integer.getInteger("bench.driver.rounds", 9);
    private static final long BYTES = 256L << 20;
    private static final int REQUESTS = 20_000;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private interface Contender {
        long nanos() throws Exception;
    }

    private DriverBench() {}

    public static void main(String[] arguments) throws Exception {
        byte[] path = arguments[0].getBytes(StandardCharsets.UTF_8);
        try (UsermodeDriver driver = UsermodeDriver.load("echo", Path.of(arguments[0]))) {
            System.out.printf("%-26s %12s %12s %7s%n", "256 MiB echoed", "C MiB/s", "JVM MiB/s", "ratio");
            for (int chunk : new int[] {4 << 10, 64 << 10, 1 << 20}) {
                print(
                        "streams, " + (chunk >> 10) + " KiB",
                        BYTES / (double) (1 << 20) * 1e9,
                        () -> Pipes.through(path, BYTES, chunk),
                        () -> streams(driver, chunk),
                        false);
                print(
                        "channels, " + (chunk >> 10) + " KiB",
                        BYTES / (double) (1 << 20) * 1e9,
                        () -> Pipes.through(path, BYTES, chunk),
                        () -> channels(driver, chunk),
                        false);
            }
            System.out.printf("%-26s %12s %12s %7s%n", "request and reply", "C us", "mailbox us", "ratio");
            for (int size : new int[] {16, 4 << 10, 64 << 10}) {
                print(
                        size + " bytes",
                        REQUESTS * 1e3,
                        () -> Pipes.pingPong(path, REQUESTS, size),
                        () -> requests(driver, size),
                        true);
            }
        }
    }

    /** Medians of turns; a rate is the unit by the time, a latency the time by the unit. */
    private static void print(String name, double unit, Contender c, Contender jvm, boolean latency) throws Exception {
        List<Long> ofC = new ArrayList<>();
        List<Long> ofJvm = new ArrayList<>();
        for (int round = -2; round < ROUNDS; round++) {
            long first = c.nanos();
            long second = jvm.nanos();
            if (round >= 0) {
                ofC.add(first);
                ofJvm.add(second);
            }
        }
        double one = value(median(ofC), unit, latency);
        double other = value(median(ofJvm), unit, latency);
        System.out.printf("%-26s %12.1f %12.1f %7.2f%n", name, one, other, other / one);
    }

    private static double value(long nanos, double unit, boolean latency) {
        return latency ? nanos / unit : unit / nanos;
    }

    private static long median(List<Long> nanos) {
        return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow();
    }

    private static long streams(UsermodeDriver driver, int chunk) throws Exception {
        driver.fork();
        long begin = System.nanoTime();
        Thread writer = new Thread(() -> {
            byte[] block = new byte[chunk];
            try {
                OutputStream to = driver.pipeToUmh().stream();
                for (long left = BYTES; left > 0; left -= chunk) {
                    to.write(block);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        writer.start();
        byte[] block = new byte[chunk];
        for (long left = BYTES; left > 0; ) {
            left -= driver.pipeFromUmh().stream().read(block);
        }
        return ended(driver, writer, begin);
    }

    private static long channels(UsermodeDriver driver, int chunk) throws Exception {
        driver.fork();
        long begin = System.nanoTime();
        Thread writer = new Thread(() -> {
            ByteBuffer block = ByteBuffer.allocateDirect(chunk);
            try {
                WritableByteChannel to = driver.pipeToUmh();
                for (long left = BYTES; left > 0; ) {
                    left -= to.write(block.clear());
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        writer.start();
        ByteBuffer block = ByteBuffer.allocateDirect(chunk);
        ReadableByteChannel from = driver.pipeFromUmh();
        for (long left = BYTES; left > 0; ) {
            left -= from.read(block.clear());
        }
        return ended(driver, writer, begin);
    }

    private static long ended(UsermodeDriver driver, Thread writer, long begin) throws Exception {
        long nanos = System.nanoTime() - begin;
        writer.join();
        driver.kill();
        driver.onExit().join();
        return nanos;
    }

    private static long requests(UsermodeDriver driver, int size) throws Exception {
        driver.fork();
        Mailbox mailbox = Mailbox.of(driver, size);
        byte[] message = new byte[size];
        long begin = System.nanoTime();
        for (int i = 0; i < REQUESTS; i++) {
            mailbox.request(message, PATIENCE);
        }
        long nanos = System.nanoTime() - begin;
        mailbox.close();
        driver.kill();
        driver.onExit().join();
        return nanos;
    }
}
