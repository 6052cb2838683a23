// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.UmhStage;

/**
 * The plan of a launch, {@code struct umh_plan} of {@code common/plan.h}: the steps that the launcher applies.
 *
 * <p>A new plan has no steps. A step is added by its stage. If the host refuses a step that is not required, the helper
 * has the JVM's attribute, and the stage is reported as unapplied. Paths and names are bytes without NUL. Descriptors
 * are the JVM's; they are sent to the launcher together with the plan.
 */
public final class Plan {
    /** Bits of {@link #flags}. */
    public static final int SETPGID = Native.planSetpgid();

    public static final int SET_PERMITTED = Native.planSetPermitted();
    public static final int SET_EFFECTIVE = Native.planSetEffective();
    public static final int MAP_SELF = Native.planMapSelf();
    public static final int WAIT_BEFORE_EXEC = Native.planWaitBeforeExec();
    public static final int REPORT_TIME = Native.planReportTime();
    public static final int KEYRING_OPTIONAL = Native.planKeyringOptional();
    private static final int SCRIPT = Native.planScript();

    /** Leaves a uid or gid unchanged. */
    public static final int KEEP_ID = -1;

    private static final int NO_TARGET = -1;
    private static final int NO_DESCRIPTOR = -1;
    private static final int ALIGNMENT = 8;

    private long steps;
    private long required;

    public long bounding = -1;
    public long permitted;
    public long effective;
    public long inheritable;
    public long ambient;
    public long timerSlackNanos;
    public long runtimeNanos;
    public long deadlineNanos;
    public long periodNanos;
    public long blocked;
    public long ignored;
    public long landlockAccess;
    public int nice;
    public int oomScoreAdj;
    public int policy;
    public int priority;
    public int ioprio;
    public int umask;
    public int personality;
    public int coredumpFilter;
    public int[] uids = {KEEP_ID, KEEP_ID, KEEP_ID};
    public int[] gids = {KEEP_ID, KEEP_ID, KEEP_ID};
    public int securebits;
    public int flags;
    public int parentDeathSignal;
    public int unshare;
    /** The CPU mask with eight CPUs in a byte, or null for every CPU. */
    public byte @Nullable [] affinity;
    /** The working directory, or null for the root directory. */
    public byte @Nullable [] cwd;

    public byte @Nullable [] root;
    /** The name of the session keyring, or null for a new one without a name. */
    public byte @Nullable [] keyring;

    public byte @Nullable [] execLabel;
    public byte @Nullable [] uidMap;
    public byte @Nullable [] gidMap;
    public byte @Nullable [] setgroups;
    public int[] groups = {};
    public byte @Nullable [] seccomp;
    private final long[] rlimits = new long[2 * Native.rlimitCount()];

    private final List<int[]> helperFds = new ArrayList<>();
    private final List<Integer> launcherFds = new ArrayList<>();
    private final List<int[]> joins = new ArrayList<>();
    private final List<long[]> landlockRules = new ArrayList<>();
    private int terminal = NO_DESCRIPTOR;
    private int cgroup = NO_DESCRIPTOR;
    private int cgroupFd = NO_DESCRIPTOR;
    private int program = NO_DESCRIPTOR;
    private int programIdentity;
    private int limitsSet;
    private int limitsRequired;
    private volatile byte @Nullable [] encoded;

    /** Adds a step. If the host refuses it, the helper is started without it. */
    public Plan attempt(UmhStage step) {
        steps |= StageNumbers.bit(step);
        return this;
    }

    /** Adds a step. If the host refuses it, the start fails. */
    public Plan require(UmhStage step) {
        required |= StageNumbers.bit(step);
        return attempt(step);
    }

    /** Adds a resource limit. If the host refuses one that is not required, the helper has the JVM's limit. */
    public void rlimit(int resource, long soft, long hard, boolean required) {
        rlimits[2 * resource] = soft;
        rlimits[2 * resource + 1] = hard;
        limitsSet |= 1 << resource;
        limitsRequired |= required ? 1 << resource : 0;
    }

    /** Changes which of the added steps and limits are required. Each argument has one bit for a step or limit. */
    public void overrideRequired(long optional, long mandatory, int optionalLimits, int mandatoryLimits) {
        required = (required | mandatory & steps) & ~optional;
        limitsRequired = (limitsRequired | mandatoryLimits & limitsSet) & ~optionalLimits;
    }

    /** Passes the descriptor fd to the helper as target. The calls are in ascending order of the targets. */
    public void descriptor(int target, int fd) {
        helperFds.add(new int[] {target, fd});
    }

    /** Sets the controlling terminal. */
    public void terminal(int fd) {
        terminal = launcherDescriptor(fd);
    }

    /** Sets the cgroup by a descriptor of its directory, for CLONE_INTO_CGROUP or the launcher's first step. */
    public void cgroup(int fd) {
        cgroup = launcherDescriptor(fd);
        cgroupFd = fd;
    }

    /** Adds a setns(2) with a pidfd or a namespace file, and CLONE_NEW* flags. */
    public void join(int fd, int cloneFlags) {
        joins.add(new int[] {launcherDescriptor(fd), cloneFlags});
    }

    /** Adds a landlock rule that allows access below a directory, or to a file. */
    public void landlockRule(int fd, long access) {
        landlockRules.add(new long[] {access, launcherDescriptor(fd)});
    }

    /** Executes this program instead of the path. */
    public void program(Blob blob) {
        program = launcherDescriptor(blob.fd());
        programIdentity = blob.shortIdentity();
        flags |= blob.isScript() ? SCRIPT : 0;
    }

    private int launcherDescriptor(int fd) {
        launcherFds.add(fd);
        return launcherFds.size() - 1;
    }

    /** Returns the descriptors in the order in which they are sent: the helper's by target, then the launcher's. */
    int[] fds() {
        int[] fds = new int[helperFds.size() + launcherFds.size()];
        for (int i = 0; i < fds.length; i++) {
            fds[i] = i < helperFds.size() ? helperFds.get(i)[1] : launcherFds.get(i - helperFds.size());
        }
        return fds;
    }

    int cgroupFd() {
        return cgroupFd;
    }

    /**
     * Returns a new copy of the encoded plan: the fixed part, then the variable parts. The plan must not change any
     * more.
     */
    byte[] encode() {
        if (encoded == null) {
            encoded = newEncoding();
        }
        return encoded.clone();
    }

    private byte[] newEncoding() {
        byte[][] parts = {
            affinity,
            terminated(cwd),
            terminated(root),
            terminated(keyring),
            terminated(execLabel),
            terminated(uidMap),
            terminated(gidMap),
            terminated(setgroups),
            descriptors(),
            ints(groups),
            joins(),
            landlockRules(),
            seccomp
        };
        int fixed = Native.planSize();
        int size = fixed;
        for (byte[] part : parts) {
            size = aligned(size) + length(part);
        }
        ByteBuffer plan = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        plan.putInt(Native.planMagic()).putInt(size);
        putNumbers(plan);
        putParts(plan, parts, fixed);
        for (long limit : rlimits) {
            plan.putLong(limit);
        }
        if (plan.position() != fixed) {
            throw new AssertionError("struct umh_plan has " + fixed + " bytes, " + plan.position() + " were written");
        }
        return plan.array();
    }

    private void putNumbers(ByteBuffer plan) {
        plan.putLong(steps).putLong(required);
        plan.putLong(bounding)
                .putLong(permitted)
                .putLong(effective)
                .putLong(inheritable)
                .putLong(ambient);
        plan.putLong(timerSlackNanos)
                .putLong(runtimeNanos)
                .putLong(deadlineNanos)
                .putLong(periodNanos);
        plan.putLong(blocked).putLong(ignored).putLong(landlockAccess);
        plan.putInt(nice).putInt(oomScoreAdj).putInt(policy).putInt(priority).putInt(ioprio);
        plan.putInt(umask).putInt(personality).putInt(coredumpFilter);
        for (int[] ids : new int[][] {uids, gids}) {
            plan.putInt(ids[0]).putInt(ids[1]).putInt(ids[2]);
        }
        plan.putInt(securebits).putInt(flags).putInt(parentDeathSignal).putInt(unshare);
        plan.putInt(position(terminal))
                .putInt(position(cgroup))
                .putInt(limitsSet)
                .putInt(limitsRequired);
        plan.putInt(position(program)).putInt(programIdentity);
    }

    /** Writes the spans of the variable parts into the fixed part, and their bytes after it. */
    private static void putParts(ByteBuffer plan, byte[][] parts, int fixed) {
        int at = fixed;
        for (byte[] part : parts) {
            at = aligned(at);
            plan.putInt(at).putInt(length(part));
            if (part != null) {
                plan.duplicate().position(at).put(part);
            }
            at += length(part);
        }
    }

    /** Returns the position of a launcher's descriptor among all that are sent. */
    private int position(int index) {
        return index == NO_DESCRIPTOR ? NO_DESCRIPTOR : helperFds.size() + index;
    }

    private byte[] descriptors() {
        int[] words = new int[2 * (helperFds.size() + launcherFds.size())];
        for (int i = 0; i < words.length / 2; i++) {
            words[2 * i] = i < helperFds.size() ? helperFds.get(i)[0] : NO_TARGET;
            words[2 * i + 1] = NO_DESCRIPTOR;
        }
        return ints(words);
    }

    private byte[] joins() {
        int[] words = new int[2 * joins.size()];
        for (int i = 0; i < joins.size(); i++) {
            words[2 * i] = position(joins.get(i)[0]);
            words[2 * i + 1] = joins.get(i)[1];
        }
        return ints(words);
    }

    private byte[] landlockRules() {
        ByteBuffer bytes =
                ByteBuffer.allocate(landlockRules.size() * 2 * Long.BYTES).order(ByteOrder.nativeOrder());
        for (long[] rule : landlockRules) {
            bytes.putLong(rule[0]).putInt(position((int) rule[1])).putInt(0);
        }
        return bytes.array();
    }

    private static byte[] ints(int[] words) {
        ByteBuffer bytes = ByteBuffer.allocate(words.length * Integer.BYTES).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(words);
        return bytes.array();
    }

    private static byte @Nullable [] terminated(byte @Nullable [] text) {
        return text == null ? null : Arrays.copyOf(text, text.length + 1);
    }

    private static int length(byte @Nullable [] part) {
        return part == null ? 0 : part.length;
    }

    private static int aligned(int offset) {
        return (offset + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
