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
 * The scheduling policy, nice value, CPU affinity, I/O priority and timer slack of a helper. Immutable; each method
 * returns a changed copy.
 *
 * <p>{@link #defaults()} is the policy OTHER, nice 0, every CPU that the cpuset allows, no I/O priority, and a timer
 * slack of 50 µs. If the host refuses a default, the helper has the value of the thread that creates it (see
 * {@link Task#allowUnapplied}), and {@link org.umh4j.Helper#unapplied} has the stage. If the host refuses a value that
 * is set here, the start fails with the stage of the method.
 *
 * @implSpec {@code sched_setattr(2)}, {@code ioprio_set(2)}, {@code PR_SET_TIMERSLACK}, Linux 6.12
 */
public final class Sched {
    /** The I/O scheduling classes of {@code ioprio_set(2)}. */
    public enum IoClass {
        /** No class: the nice value decides. */
        NONE,
        /** Served before all other classes. Needs {@code CAP_SYS_ADMIN} or {@code CAP_SYS_NICE}. */
        REALTIME,
        /** The normal class. */
        BEST_EFFORT,
        /** Served only if no other process uses the disk. */
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
    private static final int MAX_PRIORITY = 99;
    private static final int WORD = 64;
    private static final Duration MAX_DURATION = Duration.ofNanos(Long.MAX_VALUE);
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

    /** Returns the scheduling of a kernel helper. */
    public static Sched defaults() {
        return DEFAULTS;
    }

    private Sched policy(int newPolicy, int newPriority) {
        Sched copy = new Sched(this);
        copy.policy = newPolicy;
        copy.priority = newPriority;
        return copy;
    }

    /** Sets the policy {@code SCHED_OTHER}, the normal one. */
    public Sched other() {
        return policy(SCHED_OTHER, 0);
    }

    /** Sets the policy {@code SCHED_BATCH}, for CPU-intensive work without interaction. */
    public Sched batch() {
        return policy(SCHED_BATCH, 0);
    }

    /** Sets the policy {@code SCHED_IDLE}: the helper runs if no other process needs the CPU. */
    public Sched idle() {
        return policy(SCHED_IDLE, 0);
    }

    /**
     * Sets the policy {@code SCHED_FIFO} with a priority of 1 to 99.
     *
     * <p>Stage {@link UmhStage#SCHED}: {@code EPERM} without {@code CAP_SYS_NICE} or a sufficient
     * {@code RLIMIT_RTPRIO}.
     */
    public Sched fifo(int realTimePriority) {
        return policy(SCHED_FIFO, requirePriority(realTimePriority));
    }

    /** Sets the policy {@code SCHED_RR} with a priority of 1 to 99. See {@link #fifo}. */
    public Sched rr(int realTimePriority) {
        return policy(SCHED_RR, requirePriority(realTimePriority));
    }

    private static int requirePriority(int priority) {
        if (priority < 1 || priority > MAX_PRIORITY) {
            throw new IllegalArgumentException("real-time priority " + priority + " is not in 1 to 99");
        }
        return priority;
    }

    /**
     * Sets the policy {@code SCHED_DEADLINE}.
     *
     * <p>Stage {@link UmhStage#SCHED}: {@code EPERM} without {@code CAP_SYS_NICE}, {@code EBUSY} if no bandwidth is
     * left, {@code EINVAL} for a period outside of {@code sched_deadline_period_{min,max}_us}.
     *
     * @param runtime the CPU time in each period
     * @param deadline the time from the period's begin by which the helper has had its CPU time
     * @param period the length of a period
     * @throws IllegalArgumentException unless 1.024 µs ≤ runtime ≤ deadline ≤ period
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

    /**
     * Sets the nice value, {@code setpriority(2)}: -20 (most CPU time) to 19 (least).
     *
     * <p>Stage {@link UmhStage#NICE}: {@code EACCES} for a value below the JVM's without {@code CAP_SYS_NICE} or a
     * sufficient {@code RLIMIT_NICE}.
     */
    public Sched nice(int value) {
        if (value < -20 || value > 19) {
            throw new IllegalArgumentException("nice value " + value + " is not in -20 to 19");
        }
        Sched copy = new Sched(this);
        copy.nice = value;
        return copy;
    }

    /**
     * Sets the CPUs by their numbers, {@code sched_setaffinity(2)}: 0 to 65,535. The kernel leaves out CPUs that the
     * cpuset does not allow.
     *
     * <p>Stage {@link UmhStage#AFFINITY}: {@code EINVAL} if no CPU remains, {@code EBUSY} for the policy DEADLINE.
     */
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

    /**
     * Sets the I/O class and level, {@code ioprio_set(2)}.
     *
     * <p>Stage {@link UmhStage#IOPRIO}: {@code EPERM} for {@link IoClass#REALTIME} without a capability.
     *
     * @param level 0 (first) to 7 for REALTIME and BEST_EFFORT, else 0
     */
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

    /**
     * Sets the timer slack, {@code PR_SET_TIMERSLACK}: the delay of a timer that the kernel may use to group wake-ups.
     * It is at least a nanosecond. {@link Task#sched} refuses it with a real-time policy.
     */
    public Sched timerSlack(Duration slack) {
        if (Objects.requireNonNull(slack, "slack").isNegative() || slack.isZero()) {
            throw new IllegalArgumentException("timer slack " + slack + " is not positive");
        }
        Sched copy = new Sched(this);
        copy.timerSlackNanos = nanos(slack, "timer slack");
        return copy;
    }

    private static long nanos(Duration duration, String name) {
        if (duration.compareTo(MAX_DURATION) > 0) {
            throw new IllegalArgumentException(name + " " + duration + " is more than " + Long.MAX_VALUE + " ns");
        }
        return duration.toNanos();
    }

    /** Refuses a timer slack that the kernel would accept and ignore: timers of a real-time task have no slack. */
    void requirePossible() {
        if (isRealTime() && timerSlackNanos != null) {
            throw new IllegalArgumentException("timer slack is for other policies than FIFO, RR and DEADLINE");
        }
    }

    /** Returns whether the policy needs a privilege. */
    boolean isRealTime() {
        return policy != null && (policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE);
    }

    /** Returns the priority that {@code RLIMIT_RTPRIO} has to allow. No limit allows DEADLINE. */
    long neededRtprio() {
        return policy != null && policy == SCHED_DEADLINE ? Long.MAX_VALUE : priority;
    }

    void writeTo(Plan plan) {
        addStep(plan, UmhStage.NICE, nice);
        addStep(plan, UmhStage.SCHED, policy);
        addStep(plan, UmhStage.AFFINITY, cpus);
        addStep(plan, UmhStage.IOPRIO, ioprio);
        addStep(plan, UmhStage.TIMER_SLACK, timerSlackNanos);
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

    /** Adds a step, which is required if its value is set. */
    private static void addStep(Plan plan, UmhStage stage, @Nullable Object value) {
        plan.attempt(stage);
        if (value != null) {
            plan.require(stage);
        }
    }

    /** Returns the mask as whole words of 64 bits, little-endian as all supported architectures are. */
    private static byte[] mask(BitSet cpus) {
        byte[] mask = new byte[(cpus.length() + WORD - 1) / WORD * Long.BYTES];
        byte[] set = cpus.toByteArray();
        System.arraycopy(set, 0, mask, 0, set.length);
        return mask;
    }
}
