// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.umh4j.support.Leaks;

/**
 * Everything at once for a given time: all wait modes, drivers, failures, interrupts, the collector busy, ProcessBuilder
 * beside it. Then what is left is counted, and the table is written.
 *
 * <p>{@code Soak DURATION TABLE}: a time such as {@code 30s} or {@code 8h}, and the Markdown file whose table is replaced.
 */
public final class Soak {
    private static final int THREADS = 4;
    private static final String BEGIN = "<!-- soak: make soak -->";
    private static final String END = "<!-- end of soak -->";
    /** What the collector and the compilers take meanwhile is not a leak. */
    private static final long ROOM_KIB = 64 << 10;

    private Soak() {}

    public static void main(String[] arguments) throws Exception {
        Duration duration = Duration.parse("PT" + arguments[0]);
        Path table = Path.of(arguments[1]);
        run(Duration.ofSeconds(3)); // everything is loaded that is loaded once
        Map<String, Long> before = counts();
        TreeMap<String, Long> descriptors = Leaks.descriptors();
        Map<Load, AtomicLong[]> done = run(duration);
        Leaks.assertNothingLeft(descriptors);
        String text = text(duration, done, before, counts());
        System.out.print(text);
        String page = Files.readString(table);
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        Files.writeString(table, page.substring(0, begin) + "\n\n" + text + "\n" + page.substring(page.indexOf(END)));
        long wrong = done.values().stream().mapToLong(tally -> tally[1].get()).sum();
        long grown = counts().get("resident KiB") - before.get("resident KiB");
        System.exit(wrong == 0 && grown < ROOM_KIB ? 0 : 1);
    }

    /** How often each load was tried, and how often its answer was wrong. */
    private static Map<Load, AtomicLong[]> run(Duration duration) throws InterruptedException {
        Map<Load, AtomicLong[]> done = new TreeMap<>();
        for (Load load : Load.values()) {
            done.put(load, new AtomicLong[] {new AtomicLong(), new AtomicLong()});
        }
        long end = System.nanoTime() + duration.toNanos();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int first = i;
            threads.add(new Thread(() -> work(first, end, done)));
        }
        threads.add(new Thread(() -> allocate(end)));
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        return done;
    }

    private static void work(int first, long end, Map<Load, AtomicLong[]> done) {
        Load[] loads = Load.values();
        for (int i = first; System.nanoTime() < end; i++) {
            Load load = loads[i % loads.length];
            done.get(load)[0].incrementAndGet();
            try {
                if (load.isRight()) {
                    continue;
                }
            } catch (Exception e) {
                e.printStackTrace();
            }
            done.get(load)[1].incrementAndGet();
        }
    }

    private static void allocate(long end) {
        List<byte[]> garbage = new ArrayList<>();
        while (System.nanoTime() < end) {
            garbage.add(new byte[64 << 10]);
            if (garbage.size() > 500) {
                garbage.clear();
            }
        }
    }

    private static Map<String, Long> counts() throws IOException {
        System.gc();
        TreeMap<String, Long> descriptors = Leaks.descriptors();
        Map<String, Long> counts = new TreeMap<>();
        counts.put("descriptors", descriptors.values().stream().mapToLong(Long::longValue).sum());
        counts.put("… of memfds", descriptors.entrySet().stream()
                .filter(kind -> kind.getKey().contains("memfd:"))
                .mapToLong(Map.Entry::getValue)
                .sum());
        counts.put("children, zombies among them", (long) Leaks.children().size());
        counts.put("threads of the library", (long) Leaks.libraryThreads().size());
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                counts.put("resident KiB", Long.valueOf(line.replaceAll("\\D", "")));
            }
        }
        return counts;
    }

    private static String text(
            Duration duration, Map<Load, AtomicLong[]> done, Map<String, Long> before, Map<String, Long> after) {
        StringBuilder text = new StringBuilder();
        text.append(THREADS + " threads for " + duration.toSeconds() + " s, Java " + Runtime.version().feature() + ", Linux "
                + System.getProperty("os.version").replaceAll("-.*", "") + ".\n\n| tried | how often | wrong |\n|---|---:|---:|\n");
        long all = 0;
        long wrong = 0;
        for (Map.Entry<Load, AtomicLong[]> load : done.entrySet()) {
            all += load.getValue()[0].get();
            wrong += load.getValue()[1].get();
            text.append("| " + load.getKey().what + " | " + load.getValue()[0] + " | " + load.getValue()[1] + " |\n");
        }
        text.append("| all | " + all + " | " + wrong + " |\n\n| counted | before | after |\n|---|---:|---:|\n");
        before.forEach((what, count) -> text.append("| " + what + " | " + count + " | " + after.get(what) + " |\n"));
        return text.toString();
    }
}
