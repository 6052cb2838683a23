// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;

/**
 * All operations at once: all wait modes, drivers, failures and interrupts, while the garbage collector is busy and
 * ProcessBuilder starts processes. Then the remaining resources are counted.
 *
 * <p>{@code Soak UNTIL DIRECTORY}: UNTIL is a time such as {@code 30s} or {@code 8h}, or a number of helpers; DIRECTORY
 * receives the table {@code soak.md} and the plot {@code soak.svg}.
 */
public final class Soak {
    private static final int THREADS = 8;
    private static final int MOST_SAMPLES = 400;
    private static final Duration PROGRESS = Duration.ofSeconds(10);
    /** The memory that the garbage collector and the compilers use meanwhile is not a leak. */
    private static final long ROOM_KIB = 64 << 10;

    private final Map<Load, LongAdder> tried = new EnumMap<>(Load.class);
    private final Map<Load, LongAdder> wrong = new EnumMap<>(Load.class);
    private final LongAdder helpers = new LongAdder();
    private final List<Load> mix = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private final long mostHelpers;
    private final long begin = System.nanoTime();
    private final long end;
    private volatile boolean over;

    private Soak(long mostHelpers, Duration duration) {
        this.mostHelpers = mostHelpers;
        end = begin + duration.toNanos();
        for (Load load : Load.values()) {
            if (load.isPossible()) {
                tried.put(load, new LongAdder());
                wrong.put(load, new LongAdder());
                mix.addAll(Collections.nCopies(load.weight, load));
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT); // the tables are the same everywhere
        boolean counted = arguments[0].matches("\\d+");
        Duration duration = counted ? Duration.ofDays(365) : Duration.parse("PT" + arguments[0]);
        new Soak(Long.MAX_VALUE, Duration.ofSeconds(3)).run(); // everything is loaded that is loaded once
        System.gc();
        TreeMap<String, Long> descriptors = Leaks.descriptors();
        Counts before = Counts.now();
        Soak soak = new Soak(counted ? Long.parseLong(arguments[0]) : Long.MAX_VALUE, duration);
        soak.run();
        Leaks.assertNothingLeft(descriptors);
        Await.until("cleanup functions ran", () -> Load.CLEANED.sum() == Load.CALLED.sum());
        System.gc();
        Counts after = Counts.now();
        Cgroups.remove();
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        String text = soak.text(before, after);
        System.out.print(text);
        Files.writeString(folder.resolve("soak.md"), text);
        Files.writeString(folder.resolve("soak.svg"), new Curves(soak.samples).svg());
        boolean grown = after.residentKib() - before.residentKib() > ROOM_KIB || after.cgroups() != before.cgroups();
        System.exit(sum(soak.wrong) == 0 && !grown ? 0 : 1);
    }

    private static long sum(Map<Load, LongAdder> counts) {
        return counts.values().stream().mapToLong(LongAdder::sum).sum();
    }

    private boolean isOver() {
        return over || helpers.sum() >= mostHelpers || System.nanoTime() >= end;
    }

    private void run() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Random random = new Random(i);
            threads.add(new Thread(() -> work(random)));
        }
        threads.add(new Thread(this::allocate));
        threads.forEach(Thread::start);
        watch();
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void work(Random random) {
        while (!isOver()) {
            Load load = mix.get(random.nextInt(mix.size()));
            tried.get(load).increment();
            try {
                if (load.isRight()) {
                    helpers.add(load.helpers);
                    continue;
                }
            } catch (Exception e) {
                e.printStackTrace();
            }
            System.err.println("wrong: " + load.what);
            wrong.get(load).increment();
        }
    }

    /** Keeps the garbage collector busy all the time, without using a whole CPU. */
    private void allocate() {
        List<byte[]> garbage = new ArrayList<>();
        try {
            while (!isOver()) {
                for (int i = 0; i < 4; i++) {
                    garbage.add(new byte[64 << 10]);
                }
                if (garbage.size() > 500) {
                    garbage.clear();
                }
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** A sample each second; when there are too many, every other one is forgotten, and they come half as often. */
    private void watch() throws Exception {
        Duration pause = Duration.ofSeconds(1);
        long told = System.nanoTime();
        while (!isOver()) {
            Thread.sleep(Math.max(1, Math.min(pause.toMillis(), (end - System.nanoTime()) / 1_000_000)));
            samples.add(new Sample((System.nanoTime() - begin) / 1e9, helpers.sum(), Counts.now()));
            if (samples.size() == MOST_SAMPLES) {
                pause = pause.multipliedBy(2);
                for (int i = MOST_SAMPLES - 2; i >= 0; i -= 2) {
                    samples.remove(i);
                }
            }
            if (System.nanoTime() - told > PROGRESS.toNanos()) {
                told = System.nanoTime();
                tell(samples.get(samples.size() - 1));
            }
        }
    }

    private void tell(Sample now) {
        System.err.printf(
                "%,.0f s: %,d tries, %,d helpers, %d wrong; %d descriptors, %,d KiB%n",
                now.seconds(),
                sum(tried),
                now.helpers(),
                sum(wrong),
                now.counts().descriptors(),
                now.counts().residentKib());
    }

    private String text(Counts before, Counts after) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                "%d threads for %,.0f s, Java %d, Linux %s; %,d garbage collections.%n%n",
                THREADS,
                samples.get(samples.size() - 1).seconds(),
                Runtime.version().feature(),
                System.getProperty("os.version").replaceAll("-.*", ""),
                collections()));
        text.append("| operation | how often | helpers | wrong |\n|---|---:|---:|---:|\n");
        tried.forEach((load, count) -> text.append(row(
                load.what,
                count.sum(),
                (count.sum() - wrong.get(load).sum()) * load.helpers,
                wrong.get(load).sum())));
        text.append(row("all", sum(tried), helpers.sum(), sum(wrong)));
        text.append(String.format(
                "| cleanup functions | %,d | | %,d |%n", Load.CALLED.sum(), Load.CALLED.sum() - Load.CLEANED.sum()));
        text.append("\n| counted | before | after |\n|---|---:|---:|\n");
        before.named()
                .forEach((what, count) -> text.append(String.format(
                        "| %s | %,d | %,d |%n", what, count, after.named().get(what))));
        return text.toString();
    }

    private static String row(String what, long tries, long made, long failed) {
        return String.format("| %s | %,d | %,d | %,d |%n", what, tries, made, failed);
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }
}
