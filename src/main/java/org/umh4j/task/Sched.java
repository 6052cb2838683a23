// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.time.Duration;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.KernelDefaults;
import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

/**
 * How a helper is scheduled. Immutable; each method answers a changed copy.
 *
 * <p>{@link #defaults()} is the default: policy OTHER, nice 0, every cpu that the cpuset allows, no I/O priority of its own,
 * timer slack 50 µs. What the host does not permit of these stays the calling thread's and {@link org.umh4j.Helper#unapplied} says so;
 * what is asked for here is required, and a refusal fails the start.
 *
 * @implSpec {@code sched_setattr(2)}, {@code ioprio_set(2)}, {@code PR_SET_TIMERSLACK}, Linux 6.12
 */
public final class Sched {
    /** The classes of {@code ioprio_set(2)}. */
    public enum IoClass {
        /** None of its own: it follows from the nice value. */
        NONE,
        /** Before all others; needs {@code CAP_SYS_ADMIN} or {@code CAP_SYS_NICE}. */
        REALTIME,
        /** The usual one. */
        BEST_EFFORT,
        /** When nobody else wants the disk. */
        IDLE
    }

    private static final int SCHED_OTHER = 0;
    private static final int SCHED_FIFO = 1;
    private static final int SCHED_RR = 2;
    private static final int SCHED_BATCH = 3;
    private static final int SCHED_IDLE = 5;
    private static final int SCHED_DEADLINE = 6;
    private static final int IO_CLASS_SHIFT = 13;
    private static final int IO_LEVELS = 8;
    private static final int LARGEST_PRIORITY = 99;
    private static final int WORD = 64;
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);
    private static final Sched DEFAULTS = new Sched();

    private @Nullable Integer policy;
    private int priority;
    private long runtimeNanos;
    private long deadlineNanos;
    private long periodNanos;
    private @Nullable Integer nice;
    private @Nullable BitSet cpus;
    private @Nullable Integer ioprio;
    private @Nullable Long timerSlackNanos;

    private Sched() {}

    private Sched(Sched other) {
        policy = other.policy;
        priority = other.priority;
        runtimeNanos = other.runtimeNanos;
        deadlineNanos = other.deadlineNanos;
        periodNanos = other.periodNanos;
        nice = other.nice;
        cpus = other.cpus;
        ioprio = other.ioprio;
        timerSlackNanos = other.timerSlackNanos;
    }

    /** As the kernel's helpers. */
    public static Sched defaults() {
        return DEFAULTS;
    }

    private Sched policy(int newPolicy, int newPriority) {
        Sched copy = new Sched(this);
        copy.policy = newPolicy;
        copy.priority = newPriority;
        return copy;
    }

    /** {@code SCHED_OTHER}, the usual policy. */
    public Sched other() {
        return policy(SCHED_OTHER, 0);
    }

    /** {@code SCHED_BATCH}: for work that nobody waits for. */
    public Sched batch() {
        return policy(SCHED_BATCH, 0);
    }

    /** {@code SCHED_IDLE}: when nobody else wants the cpu. */
    public Sched idle() {
        return policy(SCHED_IDLE, 0);
    }

    /** {@code SCHED_FIFO} with a priority of 1 to 99; needs {@code CAP_SYS_NICE} or {@code RLIMIT_RTPRIO}. */
    public Sched fifo(int realTimePriority) {
        return policy(SCHED_FIFO, checked(realTimePriority));
    }

    /** {@code SCHED_RR} with a priority of 1 to 99; needs {@code CAP_SYS_NICE} or {@code RLIMIT_RTPRIO}. */
    public Sched rr(int realTimePriority) {
        return policy(SCHED_RR, checked(realTimePriority));
    }

    private static int checked(int priority) {
        if (priority < 1 || priority > LARGEST_PRIORITY) {
            throw new IllegalArgumentException("real-time priority " + priority + " is not in 1 to 99");
        }
        return priority;
    }

    /**
     * {@code SCHED_DEADLINE}: so much cpu time in every period, each time before the deadline; needs
     * {@code CAP_SYS_NICE}.
     *
     * @throws IllegalArgumentException unless 1 µs ≤ runtime ≤ deadline ≤ period
     */
    public Sched deadline(Duration runtime, Duration deadline, Duration period) {
        Objects.requireNonNull(runtime, "runtime");
        Objects.requireNonNull(deadline, "deadline");
        Objects.requireNonNull(period, "period");
        boolean ordered = runtime.compareTo(deadline) <= 0 && deadline.compareTo(period) <= 0;
        if (!ordered || runtime.compareTo(Duration.ofNanos(1_024)) < 0) {
            throw new IllegalArgumentException("runtime " + runtime + ", deadline " + deadline + ", period " + period
                    + ": not in rising order from 1 µs");
        }
        Sched copy = policy(SCHED_DEADLINE, 0);
        copy.runtimeNanos = nanos(runtime, "runtime");
        copy.deadlineNanos = nanos(deadline, "deadline");
        copy.periodNanos = nanos(period, "period");
        return copy;
    }

    /** -20 (most) to 19 (least); lower than the JVM's needs {@code CAP_SYS_NICE} or {@code RLIMIT_NICE}. */
    public Sched nice(int value) {
        if (value < -20 || value > 19) {
            throw new IllegalArgumentException("nice value " + value + " is not in -20 to 19");
        }
        Sched copy = new Sched(this);
        copy.nice = value;
        return copy;
    }

    /** These cpus, by number. Those that the cpuset does not allow are left out by the kernel; one must remain. */
    public Sched affinity(int... numbers) {
        BitSet set = new BitSet();
        for (int number : Objects.requireNonNull(numbers, "numbers")) {
            if (number < 0 || number > 0xffff) {
                throw new IllegalArgumentException("cpu " + number + " is not in 0 to 65535");
            }
            set.set(number);
        }
        if (set.isEmpty()) {
            throw new IllegalArgumentException("numbers has no cpu; one at least is needed");
        }
        Sched copy = new Sched(this);
        copy.cpus = set;
        return copy;
    }

    /** An I/O class, with a level of 0 (first) to 7 where the class has levels. */
    public Sched ioprio(IoClass ioClass, int level) {
        boolean hasLevels =
                Objects.requireNonNull(ioClass, "ioClass") == IoClass.REALTIME || ioClass == IoClass.BEST_EFFORT;
        if (level < 0 || level >= (hasLevels ? IO_LEVELS : 1)) {
            throw new IllegalArgumentException(
                    "I/O level " + level + " of " + ioClass + " is not in 0 to " + (hasLevels ? 7 : 0));
        }
        Sched copy = new Sched(this);
        copy.ioprio = ioClass.ordinal() << IO_CLASS_SHIFT | level;
        return copy;
    }

    /** How late timers may be so that several can fire together; at least a nanosecond. Not for a real-time policy. */
    public Sched timerSlack(Duration slack) {
        if (Objects.requireNonNull(slack, "slack").isNegative() || slack.isZero()) {
            throw new IllegalArgumentException("timer slack " + slack + " is not positive");
        }
        Sched copy = new Sched(this);
        copy.timerSlackNanos = nanos(slack, "timer slack");
        return copy;
    }

    private static long nanos(Duration duration, String what) {
        if (duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(what + " " + duration + " is more than " + Long.MAX_VALUE + " ns");
        }
        return duration.toNanos();
    }

    /** Refuses what the kernel would take and not do: a real-time task's timers are never late. */
    void requirePossible() {
        if (isRealTime() && timerSlackNanos != null) {
            throw new IllegalArgumentException("timer slack is for other policies than FIFO, RR and DEADLINE");
        }
    }

    /** Whether the policy is one that needs a privilege. */
    boolean isRealTime() {
        return policy != null && (policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE);
    }

    /** The priority that {@code RLIMIT_RTPRIO} would have to allow; none allows a deadline. */
    long neededRtprio() {
        return policy != null && policy == SCHED_DEADLINE ? Long.MAX_VALUE : priority;
    }

    void writeTo(Plan plan) {
        step(plan, UmhStage.NICE, nice);
        step(plan, UmhStage.SCHED, policy);
        step(plan, UmhStage.AFFINITY, cpus);
        step(plan, UmhStage.IOPRIO, ioprio);
        step(plan, UmhStage.TIMER_SLACK, timerSlackNanos);
        plan.attempt(UmhStage.MEMPOLICY);
        plan.nice = nice == null ? 0 : nice;
        plan.policy = policy == null ? SCHED_OTHER : policy;
        plan.priority = priority;
        plan.runtimeNanos = runtimeNanos;
        plan.deadlineNanos = deadlineNanos;
        plan.periodNanos = periodNanos;
        plan.affinity = cpus == null ? null : mask(cpus);
        plan.ioprio = ioprio == null ? 0 : ioprio;
        plan.timerSlackNanos = timerSlackNanos == null ? KernelDefaults.TIMER_SLACK_NANOS : timerSlackNanos;
    }

    private static void step(Plan plan, UmhStage stage, @Nullable Object asked) {
        plan.attempt(stage);
        if (asked != null) {
            plan.require(stage);
        }
    }

    /** Whole words, in the byte order of the machines that there are. */
    private static byte[] mask(BitSet cpus) {
        byte[] mask = new byte[(cpus.length() + WORD - 1) / WORD * Long.BYTES];
        byte[] set = cpus.toByteArray();
        System.arraycopy(set, 0, mask, 0, set.length);
        return mask;
    }
}
