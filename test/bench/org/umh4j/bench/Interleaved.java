// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures contenders in turns: every round calls each of them once, in random order. So the load of the host, and the
 * state of the caches after the previous call, affect all of them alike.
 */
final class Interleaved {
    private Interleaved() {}

    /**
     * The number of rounds that are not counted: a JVM's second compiler compiles a method after some thousand calls.
     * The cost of a first call is measured separately.
     */
    static int warmUp(int rounds) {
        return Math.min(100 * rounds, 10_000);
    }

    /** Microseconds of each. */
    static List<Samples> micros(List<Contender> contenders, int rounds) throws Exception {
        List<Samples> samples = new ArrayList<>();
        contenders.forEach(contender -> samples.add(new Samples()));
        List<Integer> order = IntStream.range(0, contenders.size()).boxed().collect(Collectors.toList());
        Random random = new Random(1); // the same each time
        for (Contender contender : contenders) {
            for (int i = contender.coldCalls(warmUp(rounds)); i > 0; i--) {
                micros(contender);
            }
        }
        for (int round = -Math.min(rounds, 200); round < rounds; round++) {
            Collections.shuffle(order, random);
            for (int turn : order) {
                if (Math.floorMod(round, contenders.get(turn).every()) == 0) {
                    double micros = micros(contenders.get(turn));
                    if (round >= 0) {
                        samples.get(turn).add(micros);
                    }
                }
            }
        }
        return samples;
    }

    private static double micros(Contender contender) throws Exception {
        long begin = System.nanoTime();
        int result = contender.start().run();
        double micros = (System.nanoTime() - begin) / 1e3;
        if (result != 0) {
            throw new IllegalStateException(contender.name() + " returned " + result);
        }
        return micros;
    }
}
