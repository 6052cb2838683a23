// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Sched;
import picocli.CommandLine.Option;

/** The options for scheduling policy, nice value, cpus, I/O priority and timer slack. */
final class SchedulingOptions {
    @Option(
            names = "--sched",
            paramLabel = "POLICY",
            converter = PolicyConverter.class,
            completionCandidates = PolicyConverter.class,
            description =
                    "The scheduling policy: other (default), batch, idle, fifo:N or rr:N with a priority of 1 to 99,"
                            + " or deadline:RUNTIME:DEADLINE:PERIOD with durations such as 5ms.")
    private @Nullable Sched policy;

    @Option(
            names = "--nice",
            paramLabel = "N",
            converter = NiceConverter.class,
            description = "The nice value, -20 to 19. Default: 0.")
    private @Nullable Integer nice;

    @Option(
            names = "--affinity",
            paramLabel = "LIST",
            converter = CpuListConverter.class,
            description = "The cpus, such as 0,2-3. Default: all.")
    private @Nullable BitSet cpus;

    @Option(
            names = "--ioprio",
            paramLabel = "CLASS[:N]",
            converter = IoPriorityConverter.class,
            completionCandidates = IoPriorityConverter.class,
            description =
                    "The I/O priority: none (default), idle, best-effort:N or realtime:N with a level of 0 (first)"
                            + " to 7.")
    private @Nullable IoPriority ioPriority;

    @Option(
            names = "--timer-slack",
            paramLabel = "NS",
            converter = TimerSlackConverter.class,
            description = "The timer slack in nanoseconds, from 1. Default: 50000.")
    private @Nullable Duration timerSlack;

    Sched sched() {
        Sched all = policy == null ? Sched.defaults() : policy;
        all = nice == null ? all : all.nice(nice);
        all = cpus == null ? all : all.affinity(cpus.stream().toArray());
        all = timerSlack == null ? all : all.timerSlack(timerSlack);
        return ioPriority == null ? all : all.ioprio(ioPriority.ioClass(), ioPriority.level());
    }

    /** A scheduling policy with its parameters. */
    static final class PolicyConverter extends ValueConverter<Sched> {
        private static final DurationConverter DURATION = new DurationConverter();

        @Override
        Sched parse(String text) {
            String[] parts = text.toLowerCase(Locale.ROOT).split(":", -1);
            Sched defaults = Sched.defaults();
            return switch (parts[0] + "/" + parts.length) {
                case "other/1" -> defaults.other();
                case "batch/1" -> defaults.batch();
                case "idle/1" -> defaults.idle();
                case "fifo/2" -> defaults.fifo(NumberParser.integer(parts[1]));
                case "rr/2" -> defaults.rr(NumberParser.integer(parts[1]));
                case "deadline/4" ->
                    defaults.deadline(DURATION.parse(parts[1]), DURATION.parse(parts[2]), DURATION.parse(parts[3]));
                default ->
                    throw new IllegalArgumentException("no policy '" + text
                            + "'; there are other, batch, idle, fifo:N, rr:N, deadline:RUNTIME:DEADLINE:PERIOD");
            };
        }

        @Override
        List<String> candidates() {
            return List.of("other", "batch", "idle", "fifo:", "rr:", "deadline:");
        }
    }

    /** A nice value. */
    static final class NiceConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int nice = NumberParser.signedInteger(text);
            Sched.defaults().nice(nice);
            return nice;
        }
    }

    /** Numbers and ranges of cpus, such as {@code 0,2-3}. */
    static final class CpuListConverter extends ValueConverter<BitSet> {
        private static final int LARGEST = 0xffff;

        @Override
        BitSet parse(String text) {
            BitSet cpus = new BitSet();
            for (String range : text.split(",", -1)) {
                int dash = range.indexOf('-');
                long first = NumberParser.number(dash < 0 ? range : range.substring(0, dash));
                long last = dash < 0 ? first : NumberParser.number(range.substring(dash + 1));
                if (last < first || last > LARGEST) {
                    throw new IllegalArgumentException("'" + range + "' is not a range in 0 to " + LARGEST);
                }
                cpus.set((int) first, (int) last + 1);
            }
            return cpus;
        }
    }

    /** A class of ioprio_set(2) and a level. */
    record IoPriority(Sched.IoClass ioClass, int level) {}

    /** {@code CLASS} or {@code CLASS:LEVEL}. */
    static final class IoPriorityConverter extends ValueConverter<IoPriority> {
        @Override
        IoPriority parse(String text) {
            String[] parts = text.split(":", 2);
            Sched.IoClass ioClass = EnumNames.parse(List.of(Sched.IoClass.values()), parts[0], "I/O class");
            int level = parts.length == 1 ? 0 : NumberParser.integer(parts[1]);
            Sched.defaults().ioprio(ioClass, level);
            return new IoPriority(ioClass, level);
        }

        @Override
        List<String> candidates() {
            return List.of("none", "idle", "best-effort:", "realtime:");
        }
    }

    /** A positive number of nanoseconds. */
    static final class TimerSlackConverter extends ValueConverter<Duration> {
        @Override
        Duration parse(String text) {
            Duration slack = Duration.ofNanos(NumberParser.number(text));
            Sched.defaults().timerSlack(slack);
            return slack;
        }
    }
}
