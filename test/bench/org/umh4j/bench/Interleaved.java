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

    /** Microseconds of each. */
    static List<Samples> micros(List<Contender> contenders, int warmUp, int rounds) throws Exception {
        List<Samples> samples = new ArrayList<>();
        contenders.forEach(contender -> samples.add(new Samples()));
        List<Integer> order = IntStream.range(0, contenders.size()).boxed().collect(Collectors.toList());
        Random random = new Random(1); // the same each time
        for (int round = -warmUp; round < rounds; round++) {
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
