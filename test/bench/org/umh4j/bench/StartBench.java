// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;

/**
 * Start and wait, in microseconds: C and Java, interleaved in one process.
 *
 * <p>Every round makes one call of each contender, in an order that moves on by one each time, so that whatever the
 * machine does beside it hits them alike. Medians and ratios are what counts; a single time is not worth much.
 */
public final class StartBench {
    private static final int WARM_UP = 2_000;

    private interface Start {
        int run() throws Exception;
    }

    private record Contender(String name, int every, Start start, List<Double> micros) {
        Contender(String name, int every, Start start) {
            this(name, every, start, new ArrayList<>());
        }
    }

    private StartBench() {}

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.getInteger("bench.rounds", 1_000);
        List<FileInputStream> open = new ArrayList<>();
        System.out.printf("%-14s %6s  %-24s %9s %9s %7s%n", "target", "fds", "contender", "p50 us", "p99 us", "ratio");
        for (int descriptors : new int[] {0, 1_000, 19_000}) {
            while (open.size() < descriptors) {
                open.add(new FileInputStream("/dev/null"));
            }
            for (String target : arguments) {
                measure(target, descriptors, rounds);
            }
        }
        for (FileInputStream file : open) {
            file.close();
        }
    }

    private static void measure(String target, int descriptors, int rounds) throws Exception {
        List<Contender> contenders = contenders(target);
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int i = 0; i < contenders.size(); i++) {
                Contender contender = contenders.get(Math.floorMod(round + i, contenders.size()));
                if (Math.floorMod(round, contender.every) == 0) {
                    time(contender, round >= 0);
                }
            }
        }
        double base = percentile(contenders.get(0), 50);
        String name = target.substring(target.lastIndexOf('/') + 1);
        for (Contender contender : contenders) {
            double p50 = percentile(contender, 50);
            System.out.printf("%-14s %6d  %-24s %9.1f %9.1f %7.2f%n",
                    name, descriptors, contender.name, p50, percentile(contender, 99), p50 / base);
        }
    }

    private static List<Contender> contenders(String target) {
        byte[] path = target.getBytes(StandardCharsets.UTF_8);
        String[] argv = {target};
        String[] environment = {};
        ProcessBuilder builder = new ProcessBuilder(target);
        return List.of(
                new Contender("C posix_spawn", 1, () -> Peers.posixSpawn(path)),
                new Contender("C vfork+exec", 1, () -> Peers.vforkExec(path)),
                new Contender("umh4j exec(WAIT_PROC)", 1,
                        () -> UsermodeHelper.exec(SubprocessInfo.of(target, argv, environment), UmhWait.PROC)),
                new Contender("ProcessBuilder", 10, () -> runProcess(builder)));
    }

    private static int runProcess(ProcessBuilder builder) throws IOException, InterruptedException {
        Process process = builder.start();
        int status = process.waitFor();
        process.getInputStream().close();
        process.getErrorStream().close();
        process.getOutputStream().close();
        return status;
    }

    private static void time(Contender contender, boolean counts) throws Exception {
        long begin = System.nanoTime();
        int result = contender.start.run();
        double micros = (System.nanoTime() - begin) / 1e3;
        if (result != 0) {
            throw new IllegalStateException(contender.name + " answered " + result);
        }
        if (counts) {
            contender.micros.add(micros);
        }
    }

    private static double percentile(Contender contender, int percent) {
        double[] sorted = contender.micros.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
}
