// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.file.Path;
import java.util.Arrays;
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
 * The resource limits, cgroup, {@code oom_score_adj} and coredump filter of a helper. Immutable; each method returns a
 * changed copy.
 *
 * <p>{@link #defaults()} has the resource limits of kthreadd, which are those of the kernel's helpers,
 * {@code oom_score_adj} 0, coredump filter 0x33 and the JVM's cgroup. The limits are read from {@code /proc/2/limits}.
 * Without {@code /proc}, or if pid 2 is not kthreadd, they are:
 *
 * <table>
 * <caption>Soft and hard limits of kthreadd</caption>
 * <tr><td>STACK</td><td>8 MiB, infinity</td></tr>
 * <tr><td>CORE</td><td>0, infinity</td></tr>
 * <tr><td>NOFILE</td><td>1024, 4096</td></tr>
 * <tr><td>NPROC, SIGPENDING</td><td>half of {@code kernel.threads-max}, both; without {@code /proc} the JVM's</td></tr>
 * <tr><td>MEMLOCK</td><td>8 MiB, both; before Linux 5.16 64 KiB</td></tr>
 * <tr><td>MSGQUEUE</td><td>819,200 bytes, both</td></tr>
 * <tr><td>NICE, RTPRIO</td><td>0, both</td></tr>
 * <tr><td>the other seven</td><td>infinity, both</td></tr>
 * </table>
 *
 * <p>If the host refuses a default, the helper has the
 * JVM's value and {@link org.umh4j.Helper#unapplied} has the stage. If the host refuses a value that is set here, the
 * start fails with the stage and the errno that the method names.
 *
 * @implSpec {@code signal->rlim} and {@code oom_score_adj} of {@code include/linux/sched/signal.h},
 *     {@code CLONE_INTO_CGROUP} (5.7), Linux 6.12
 */
public final class Limits {
    private static final int MAX_OOM_SCORE_ADJ = 1_000;
    private static final int COREDUMP_BITS = 0x1ff;
    private static final Limits DEFAULTS = new Limits(new EnumMap<>(Rlimit.class));

    private final Map<Rlimit, long[]> limits;
    private boolean inheritRlimits;
    private @Nullable Integer oomScoreAdj;
    private @Nullable Integer coredumpFilter;
    private byte @Nullable [] cgroup;
    private @Nullable Integer cgroupFd;

    private Limits(Map<Rlimit, long[]> limits) {
        this.limits = limits;
    }

    private Limits(Limits other) {
        limits = other.limits.isEmpty() ? new EnumMap<>(Rlimit.class) : new EnumMap<>(other.limits);
        inheritRlimits = other.inheritRlimits;
        oomScoreAdj = other.oomScoreAdj;
        coredumpFilter = other.coredumpFilter;
        cgroup = other.cgroup;
        cgroupFd = other.cgroupFd;
    }

    /** Returns the limits of a kernel helper. */
    public static Limits defaults() {
        return DEFAULTS;
    }

    /**
     * Sets a resource limit, {@code prlimit(2)}, in the unit of the resource. {@link Rlimit#INFINITY} is no limit.
     *
     * <p>Stage {@link UmhStage#RLIMIT}, {@link UmhStage#NOFILE} or {@link UmhStage#NPROC}: {@code EPERM} if the hard
     * limit is above the JVM's and the JVM lacks {@code CAP_SYS_RESOURCE}.
     *
     * @throws IllegalArgumentException if a limit is negative and not {@link Rlimit#INFINITY}, or the soft limit is
     *     above the hard one. INFINITY is the highest value
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

    /** Sets soft and hard limit of a resource to the same value. See {@link #rlimit(Rlimit, long, long)}. */
    public Limits rlimit(Rlimit resource, long both) {
        return rlimit(resource, both, both);
    }

    /**
     * Passes on the JVM's limit for each resource that is not set here.
     *
     * @apiNote The JVM raises its own soft limit of descriptors to the hard limit at its start.
     */
    public Limits inheritRlimits() {
        Limits copy = new Limits(this);
        copy.inheritRlimits = true;
        return copy;
    }

    /**
     * Sets {@code oom_score_adj}: -1000 (never killed) to 1000 (killed first).
     *
     * <p>Stage {@link UmhStage#OOM_SCORE_ADJ}: {@code EACCES} if the value is below the JVM's minimum and the JVM lacks
     * {@code CAP_SYS_RESOURCE}.
     *
     * @throws IllegalArgumentException for another number
     */
    public Limits oomScoreAdj(int adjustment) {
        if (adjustment < -MAX_OOM_SCORE_ADJ || adjustment > MAX_OOM_SCORE_ADJ) {
            throw new IllegalArgumentException("oom_score_adj " + adjustment + " is not in -1000 to 1000");
        }
        Limits copy = new Limits(this);
        copy.oomScoreAdj = adjustment;
        return copy;
    }

    /**
     * Sets the mappings that a core dump contains: the bits of {@code core(5)}, 0 to 0x1ff.
     *
     * @throws IllegalArgumentException for another bit
     */
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
     * Sets the helper's cgroup by its directory. It must be a cgroup of version 2.
     *
     * <p>The process is created in that cgroup, {@code CLONE_INTO_CGROUP}. Before Linux 5.7, or with a seccomp filter
     * that refuses {@code clone3(2)}, the launcher instead enters the cgroup as its first step. The time until then,
     * less than a millisecond, is charged to the JVM's cgroup.
     *
     * <p>Stage {@link UmhStage#CGROUP}: {@code EINVAL} for another directory, {@code EACCES} without write access to
     * {@code cgroup.procs}, {@code EBUSY} for a cgroup that is frozen or that may not contain processes.
     *
     * @apiNote A frozen cgroup is refused because a start waits for the program's first instruction. If the cgroup is
     *     frozen between the check and that instruction, the process is killed and the start fails with {@code EBUSY}
     *     too.
     */
    public Limits cgroup(Path path) {
        return cgroup(Bytes.of(path, "cgroup"));
    }

    /** Sets the helper's cgroup by its directory. See {@link #cgroup(Path)}. */
    public Limits cgroup(String path) {
        return cgroup(Bytes.of(path, "cgroup"));
    }

    /** Sets the helper's cgroup by its directory, in bytes of any encoding. See {@link #cgroup(Path)}. */
    public Limits cgroup(byte[] path) {
        Limits copy = new Limits(this);
        copy.cgroup = Bytes.of(path, "cgroup");
        copy.cgroupFd = null;
        return copy;
    }

    /**
     * Sets the helper's cgroup by an open descriptor of its directory, which the caller closes. See
     * {@link #cgroup(Path)}. {@link KillScope#CGROUP} needs a path instead.
     *
     * @throws IllegalArgumentException for a negative number
     */
    public Limits cgroup(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        Limits copy = new Limits(this);
        copy.cgroup = null;
        copy.cgroupFd = fd;
        return copy;
    }

    /** Returns the directory of the cgroup, if it is set by a path that can be decoded in the system's encoding. */
    public Optional<String> cgroupPath() {
        return Optional.ofNullable(cgroup)
                .map(Bytes::toString)
                .filter(text -> Arrays.equals(text.getBytes(Bytes.systemCharset()), cgroup));
    }

    /** Returns whether a cgroup is set. */
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
        writeRlimits(plan);
        if (hasCgroup()) {
            int fd =
                    cgroup != null ? opened.openCgroup(cgroup) : opened.requireCgroup(Objects.requireNonNull(cgroupFd));
            if (fd < 0) {
                throw new StageFailure(UmhStage.CGROUP, fd, 0, cgroupPath().orElse(null));
            }
            plan.cgroup(fd);
        }
    }

    private void writeRlimits(Plan plan) {
        if (!inheritRlimits) {
            KernelDefaults.rlimits(plan);
        }
        for (Map.Entry<Rlimit, long[]> limit : limits.entrySet()) {
            plan.rlimit(limit.getKey().ordinal(), limit.getValue()[0], limit.getValue()[1], true);
        }
        plan.require(UmhStage.RLIMIT).require(UmhStage.NOFILE).require(UmhStage.NPROC);
    }

    /** Returns the stage that applies a limit. */
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
