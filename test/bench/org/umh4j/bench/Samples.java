// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.Arrays;

/** The values of one contender, in the order of measurement. */
final class Samples {
    private double[] values = new double[1_024];
    private int count;

    void add(double value) {
        values = count < values.length ? values : Arrays.copyOf(values, 2 * count);
        values[count++] = value;
    }

    double[] values() {
        return Arrays.copyOf(values, count);
    }

    /** The value that so many percent are not above. */
    static double percentile(double[] values, double percent) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
}
