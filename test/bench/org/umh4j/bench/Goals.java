// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The goals and the results, from the raw values. */
final class Goals {
    /** One aim: no more than this, or no less. */
    private record Goal(String what, String aim, double limit, boolean atMost, ToDoubleFunction<Lookup> reached) {
        String verdict(double value) {
            boolean met = atMost ? value <= limit : value >= limit;
            return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value) + (met ? "" : " ✗");
        }
    }

    /** The rows of one JDK. */
    private static final class Lookup {
        private final List<Row> rows;
        private final int jdk;

        Lookup(List<Row> rows, int jdk) {
            this.rows = rows;
            this.jdk = jdk;
        }

        Row row(String group, Object place, String target, String contender) {
            return rows.stream()
                    .filter(row -> row.jdk() == jdk
                            && row.group().equals(group)
                            && row.place().equals("" + place)
                            && row.target().equals(target)
                            && row.contender().equals(contender))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalStateException("no row " + List.of(jdk, group, place, target, contender)));
        }

        /** To C posix_spawn in the same place. */
        double ratio(String group, Object place, String target, String contender, double percent) {
            return row(group, place, target, contender).ratio(row(group, place, target, Contenders.BASE), percent);
        }

        double median(String group, Object place, String target, String contender) {
            return row(group, place, target, contender).percentile(50);
        }
    }

    private static final String UMH4J = Contenders.UMH4J;
    private static final List<Goal> GOALS = List.of(
            atMost("`tiny`, few descriptors, p50", 1.2, of -> of.ratio("descriptors", 0, "tiny", UMH4J, 50)),
            atMost("… with 1,000 descriptors", 0.8, of -> of.ratio("descriptors", 1_000, "tiny", UMH4J, 50)),
            atMost("… with 19,000 descriptors", 0.15, of -> of.ratio("descriptors", 19_000, "tiny", UMH4J, 50)),
            atMost(
                    "… with all of `Cred`, few descriptors",
                    1.6,
                    of -> of.ratio("descriptors", 0, "tiny", UMH4J + ", all of Cred", 50)),
            atMost("`/bin/true`, few descriptors, p50", 1.05, of -> of.ratio("descriptors", 0, "true", UMH4J, 50)),
            atMost("`tiny`, few descriptors, p99 to p99", 1.5, of -> of.ratio("descriptors", 0, "tiny", UMH4J, 99)),
            atMost(
                    "8 GiB of heap to 256 MiB",
                    1.05,
                    of -> of.median("heap", "8192 MiB", "tiny", UMH4J) / of.median("heap", "256 MiB", "tiny", UMH4J)),
            atLeast(
                    "throughput of two threads, to that of `posix_spawn`",
                    0.9,
                    of -> 1 / of.ratio("threads", 2, "tiny", UMH4J, 50)),
            atLeast(
                    "`ProcessBuilder` to umh4j, `tiny`, p50",
                    8,
                    of -> of.median("descriptors", 0, "tiny", "ProcessBuilder")
                            / of.median("descriptors", 0, "tiny", UMH4J)),
            atMost("`NO_WAIT`, µs in the caller, p50", 5, of -> of.median("no_wait", "caller", "NO_WAIT", UMH4J)),
            atMost("10,000 live: additional threads", 3, of -> of.median("live", 10_000, "added", "threads, in all")),
            atMost(
                    "10,000 live: bytes of heap per helper",
                    2_048,
                    of -> of.median("live", 10_000, "added", "heap, bytes each")),
            atMost(
                    "10,000 live: resident bytes per helper",
                    2_048,
                    of -> of.median("live", 10_000, "added", "resident, bytes each")),
            atMost(
                    "exit to completed future, 10,000 live, µs, p50",
                    80,
                    of -> of.median("live", 10_000, "exit notice", UMH4J)),
            atMost(
                    "load and first call, ms more than an empty JVM",
                    30,
                    of -> of.median("first call", "", "process", "load and first call")
                            - of.median("first call", "", "process", "an empty JVM")));

    private final List<Row> rows;

    Goals(List<Row> rows) {
        this.rows = rows;
    }

    private static Goal atMost(String what, double limit, ToDoubleFunction<Lookup> reached) {
        return new Goal(what, "≤ " + number(limit), limit, true, reached);
    }

    private static Goal atLeast(String what, double limit, ToDoubleFunction<Lookup> reached) {
        return new Goal(what, "≥ " + number(limit), limit, false, reached);
    }

    private static String number(double limit) {
        return limit == Math.rint(limit) ? String.format(Locale.ROOT, "%,.0f", limit) : Double.toString(limit);
    }

    String table() {
        List<Integer> jdks = new ArrayList<>(
                new java.util.TreeSet<>(rows.stream().map(Row::jdk).toList()));
        StringBuilder text = new StringBuilder("\n### Goals and results\n\n| | goal");
        jdks.forEach(jdk -> text.append(" | JDK ").append(jdk));
        text.append(" |\n|---|---").append("|---".repeat(jdks.size())).append("|\n");
        for (Goal goal : GOALS) {
            text.append("| ").append(goal.what()).append(" | ").append(goal.aim());
            jdks.forEach(jdk ->
                    text.append(" | ").append(goal.verdict(goal.reached().applyAsDouble(new Lookup(rows, jdk)))));
            text.append(" |\n");
        }
        return text.append("\nRatios are to C `posix_spawn` in the same run, unless stated otherwise; ✗ marks a goal"
                        + " that was not reached.\n")
                .toString();
    }
}
