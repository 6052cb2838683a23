// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Rlimit;
import org.umh4j.task.Limits;
import picocli.CommandLine.Option;

/** The options for resource limits, the out-of-memory score, core dumps and the cgroup. */
final class LimitOptions {
    @Option(
            names = "--rlimit",
            paramLabel = "NAME=SOFT[:HARD]|inherit",
            converter = RlimitConverter.class,
            completionCandidates = RlimitConverter.class,
            description =
                    "A resource limit, such as nofile=64:128, core=0, as=64M or cpu=unlimited. K, M and G are powers"
                            + " of 1024. inherit keeps umh's limits for all resources that are not named. Default: the"
                            + " limits of kthreadd. Repeatable.")
    private List<RlimitValue> rlimits = new ArrayList<>();

    @Option(
            names = "--oom-score-adj",
            paramLabel = "N",
            converter = OomScoreAdjConverter.class,
            description = "The adjustment of the out-of-memory score, -1000 to 1000. Default: 0.")
    private @Nullable Integer oomScoreAdj;

    @Option(
            names = "--coredump-filter",
            paramLabel = "HEX",
            converter = CoredumpFilterConverter.class,
            description = "The mappings in a core dump: the bits of core(5), 0 to 1ff. Default: 33.")
    private @Nullable Integer coredumpFilter;

    @Option(
            names = "--cgroup",
            paramLabel = "PATH",
            description =
                    "The directory of the cgroup (version 2) in which the helper is created. Default: umh's cgroup.")
    private @Nullable String cgroup;

    Limits limits() {
        Limits limits = Limits.defaults();
        for (RlimitValue value : rlimits) {
            Rlimit resource = value.resource();
            limits = resource == null ? limits.inheritRlimits() : limits.rlimit(resource, value.soft(), value.hard());
        }
        limits = oomScoreAdj == null ? limits : limits.oomScoreAdj(oomScoreAdj);
        limits = coredumpFilter == null ? limits : limits.coredumpFilter(coredumpFilter);
        return cgroup == null ? limits : limits.cgroup(cgroup);
    }

    /** A soft and a hard limit. Without a resource: umh's limits. */
    record RlimitValue(@Nullable Rlimit resource, long soft, long hard) {}

    /** {@code NAME=SOFT}, {@code NAME=SOFT:HARD}, or {@code inherit}. */
    static final class RlimitConverter extends ValueConverter<RlimitValue> {
        private static final String UNITS = " KMG";

        @Override
        RlimitValue parse(String text) {
            if (text.equals("inherit")) {
                return new RlimitValue(null, 0, 0);
            }
            String[] limits = text.substring(text.indexOf('=') + 1).split(":", -1);
            if (text.indexOf('=') < 1 || limits.length > 2) {
                throw new IllegalArgumentException("'" + text + "': write NAME=SOFT:HARD, NAME=SOFT, or inherit");
            }
            String name = text.substring(0, text.indexOf('='));
            Rlimit resource = EnumNames.parse(List.of(Rlimit.values()), name, "limit");
            RlimitValue value = new RlimitValue(resource, size(limits[0]), size(limits[limits.length - 1]));
            Limits.defaults().rlimit(resource, value.soft(), value.hard());
            return value;
        }

        /** Parses a number, with K, M or G for powers of 1024, or {@code unlimited}. */
        static long size(String text) {
            if (text.equals("unlimited") || text.equals("infinity")) {
                return Rlimit.INFINITY;
            }
            int shift = UNITS.indexOf(text.isEmpty() ? ' ' : text.charAt(text.length() - 1)) * 10;
            long value = NumberParser.number(shift > 0 ? text.substring(0, text.length() - 1) : text);
            if (shift > 0 && value > Long.MAX_VALUE >> shift) {
                throw new IllegalArgumentException("'" + text + "' is more than 2^63 - 1");
            }
            return shift > 0 ? value << shift : value;
        }

        @Override
        List<String> candidates() {
            List<String> all = new ArrayList<>();
            for (String name : EnumNames.of(List.of(Rlimit.values()))) {
                all.add(name + "=");
            }
            all.add("inherit");
            return all;
        }
    }

    /** The adjustment of the out-of-memory score. */
    static final class OomScoreAdjConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int adjustment = NumberParser.signedInteger(text);
            Limits.defaults().oomScoreAdj(adjustment);
            return adjustment;
        }
    }

    /** The bits of core(5). */
    static final class CoredumpFilterConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int bits = NumberParser.hexadecimal(text);
            Limits.defaults().coredumpFilter(bits);
            return bits;
        }
    }
}
