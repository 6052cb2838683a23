// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures contenders side by side: every round makes one call of each, in an order of chance, so that whatever the
 * machine does beside it hits them alike, and what the one before has left in the caches too.
 */
final class Interleaved {
    private Interleaved() {}

    /**
     * How many rounds are not counted: a JVM's last compiler wants to have seen a method some thousand times. What a first
     * call takes is measured for itself.
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
            throw new IllegalStateException(contender.name() + " answered " + result);
        }
        return micros;
    }
}
