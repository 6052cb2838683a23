// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Measures contenders side by side: every round makes one call of each, in an order that moves on by one each time, so
 * that whatever the machine does beside it hits them alike.
 */
final class Interleaved {
    private Interleaved() {}

    /** Microseconds of each. */
    static List<Samples> micros(List<Contender> contenders, int warmUp, int rounds) throws Exception {
        List<Samples> samples = new ArrayList<>();
        contenders.forEach(contender -> samples.add(new Samples()));
        for (int round = -warmUp; round < rounds; round++) {
            for (int i = 0; i < contenders.size(); i++) {
                int turn = Math.floorMod(round + i, contenders.size());
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
