// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * One line of the raw results: a contender in one place of one group.
 *
 * @param jdk the feature number of the JVM
 * @param group what was varied
 * @param place the value that it had
 * @param target the program, or what else was measured
 * @param unit of the values
 */
record Row(
        @JsonProperty("jdk") int jdk,
        @JsonProperty("group") String group,
        @JsonProperty("place") String place,
        @JsonProperty("target") String target,
        @JsonProperty("contender") String contender,
        @JsonProperty("unit") String unit,
        @JsonProperty("values") double[] values) {
    double ratio(Row base, double percent) {
        return percentile(percent) / base.percentile(percent);
    }

    double percentile(double percent) {
        return Samples.percentile(values, percent);
    }
}
