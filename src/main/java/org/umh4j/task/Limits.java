// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.KernelDefaults;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.UmhStage;

/**
 * What a helper may use: resource limits, cgroup, place in the out-of-memory order. Immutable; each method answers a
 * changed copy.
 *
 * <p>{@link #defaults()} is the default: the limits that kthreadd hands down, {@code oom_score_adj} 0, coredump filter
 * 0x33, the JVM's cgroup. What the host does not permit of these stays the JVM's and {@link org.umh4j.Helper#unapplied} says so; what is
 * asked for here is required, and a refusal fails the start.
 *
 * @implSpec {@code signal->rlim} and {@code oom_score_adj} of {@code include/linux/sched/signal.h},
 *     {@code CLONE_INTO_CGROUP} (5.7), Linux 6.12
 */
public final class Limits {
    private static final int LARGEST_ADJ = 1_000;
    private static final int COREDUMP_BITS = 0x1ff;
    private static final Limits DEFAULTS = new Limits(new EnumMap<>(Rlimit.class));

    private final Map<Rlimit, long[]> limits;
    private boolean inherited;
    private @Nullable Integer oomScoreAdj;
    private @Nullable Integer coredumpFilter;
    private byte @Nullable [] cgroup;
    private @Nullable Integer cgroupFd;

    private Limits(Map<Rlimit, long[]> limits) {
        this.limits = limits;
    }

    private Limits(Limits other) {
        limits = other.limits.isEmpty() ? new EnumMap<>(Rlimit.class) : new EnumMap<>(other.limits);
        inherited = other.inherited;
        oomScoreAdj = other.oomScoreAdj;
        coredumpFilter = other.coredumpFilter;
        cgroup = other.cgroup;
        cgroupFd = other.cgroupFd;
    }

    /** As the kernel's helpers. */
    public static Limits defaults() {
        return DEFAULTS;
    }

    /**
     * One limit, soft and hard, in the resource's unit; {@link Rlimit#INFINITY} for none.
     *
     * @throws IllegalArgumentException if the soft limit is above the hard one, or one is negative
     */
    public Limits rlimit(Rlimit resource, long soft, long hard) {
        Objects.requireNonNull(resource, "resource");
        if (Math.min(soft, hard) < Rlimit.INFINITY) {
            throw new IllegalArgumentException(resource + ": limit " + Math.min(soft, hard) + " is negative");
        }
        if (Long.compareUnsigned(soft, hard) > 0) {
            throw new IllegalArgumentException(
                    resource + ": soft limit " + text(soft) + " is above the hard one " + text(hard));
        }
        Limits copy = new Limits(this);
        copy.limits.put(resource, new long[] {soft, hard});
        return copy;
    }

    /** One limit, soft and hard alike. */
    public Limits rlimit(Rlimit resource, long both) {
        return rlimit(resource, both, both);
    }

    /** The JVM's own limits, where none is asked for; its soft limit on descriptors is usually its hard one. */
    public Limits inheritRlimits() {
        Limits copy = new Limits(this);
        copy.inherited = true;
        return copy;
    }

    /** -1000 (never killed) to 1000 (first); lower than the JVM was ever allowed needs {@code CAP_SYS_RESOURCE}. */
    public Limits oomScoreAdj(int adjustment) {
        if (adjustment < -LARGEST_ADJ || adjustment > LARGEST_ADJ) {
            throw new IllegalArgumentException("oom_score_adj " + adjustment + " is not in -1000 to 1000");
        }
        Limits copy = new Limits(this);
        copy.oomScoreAdj = adjustment;
        return copy;
    }

    /** Which mappings a core dump holds: the bits of {@code core(5)}. */
    public Limits coredumpFilter(int bits) {
        if ((bits & ~COREDUMP_BITS) != 0) {
            throw new IllegalArgumentException(
                    "coredump filter 0x" + Integer.toHexString(bits) + " is not in 0 to 0x1ff");
        }
        Limits copy = new Limits(this);
        copy.coredumpFilter = bits;
        return copy;
    }

    /**
     * A cgroup of the second version, by its folder. The helper is born there: not an instruction of it runs elsewhere.
     *
     * <p>Where the kernel can't (before 5.7, or a filter that refuses clone3) the launcher enters it before anything
     * else; what it used until then, less than a millisecond, is accounted to the JVM's.
     *
     * @apiNote A frozen cgroup is refused with {@code EBUSY}, because a start waits for the program's first
     *     instruction. If the cgroup is frozen after that check and before that instruction, the process is killed, and
     *     the start fails with {@code EBUSY} too.
     */
    public Limits cgroup(String path) {
        Limits copy = new Limits(this);
        copy.cgroup = Bytes.of(path, "cgroup");
        copy.cgroupFd = null;
        return copy;
    }

    /** The same by an open descriptor of the folder, which the caller keeps. */
    public Limits cgroup(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        Limits copy = new Limits(this);
        copy.cgroup = null;
        copy.cgroupFd = fd;
        return copy;
    }

    /** The cgroup's folder if it was given by its path. */
    public Optional<String> cgroupPath() {
        return Optional.ofNullable(cgroup).map(Bytes::toString);
    }

    /** Whether the helper is born in a cgroup that was named. */
    public boolean hasCgroup() {
        return cgroup != null || cgroupFd != null;
    }

    void writeTo(Plan plan, OpenedFiles opened) throws StageFailure {
        if (oomScoreAdj != null) {
            plan.require(UmhStage.OOM_SCORE_ADJ);
            plan.oomScoreAdj = oomScoreAdj;
        } else {
            plan.attempt(UmhStage.OOM_SCORE_ADJ);
        }
        plan.coredumpFilter = coredumpFilter == null ? KernelDefaults.COREDUMP_FILTER : coredumpFilter;
        plan.attempt(UmhStage.COREDUMP_FILTER);
        if (coredumpFilter != null) {
            plan.require(UmhStage.COREDUMP_FILTER);
        }
        rlimits(plan);
        if (hasCgroup()) {
            int fd =
                    cgroup != null ? opened.openCgroup(cgroup) : opened.requireCgroup(Objects.requireNonNull(cgroupFd));
            if (fd < 0) {
                throw new StageFailure(UmhStage.CGROUP, fd, 0, cgroupPath().orElse(null));
            }
            plan.cgroup(fd);
        }
    }

    private void rlimits(Plan plan) {
        if (!inherited) {
            KernelDefaults.rlimits(plan);
        }
        for (Map.Entry<Rlimit, long[]> limit : limits.entrySet()) {
            plan.rlimit(limit.getKey().ordinal(), limit.getValue()[0], limit.getValue()[1], true);
        }
        plan.require(UmhStage.RLIMIT).require(UmhStage.NOFILE).require(UmhStage.NPROC);
    }

    /** The stage that applies a limit. */
    static UmhStage stageOf(Rlimit limit) {
        return switch (limit) {
            case NOFILE -> UmhStage.NOFILE;
            case NPROC -> UmhStage.NPROC;
            default -> UmhStage.RLIMIT;
        };
    }

    private static String text(long limit) {
        return limit == Rlimit.INFINITY ? "infinity" : Long.toUnsignedString(limit);
    }
}
