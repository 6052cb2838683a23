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
 * What the launcher is told: {@code struct umh_plan} of {@code common/plan.h}, field by field in its order.
 *
 * <p>A new plan asks for nothing. Each step is asked for by its stage's bit; one that is not required and fails leaves
 * the attribute as the JVM has it, and is reported.
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

    /** Leaves a uid or gid alone. */
    public static final int KEEP_ID = -1;

    private static final int NO_TARGET = -1;
    private static final int NO_FILE = -1;
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
    /** Cpu mask, eight cpus a byte; null: every cpu. */
    public byte @Nullable [] affinity;
    /** Path without NUL; null: the root folder. */
    public byte @Nullable [] cwd;

    public byte @Nullable [] root;
    /** A keyring's name without NUL; null: without one. */
    public byte @Nullable [] keyring;

    public byte @Nullable [] execLabel;
    public byte @Nullable [] uidMap;
    public byte @Nullable [] gidMap;
    public byte @Nullable [] setgroups;
    public int[] groups = {};
    public byte @Nullable [] seccomp;
    private final long[] rlimits = new long[2 * Native.rlimitCount()];

    private final List<int[]> files = new ArrayList<>();
    private final List<Integer> extras = new ArrayList<>();
    private final List<int[]> joins = new ArrayList<>();
    private final List<long[]> rules = new ArrayList<>();
    private int terminal = NO_FILE;
    private int cgroup = NO_FILE;
    private int cgroupFd = NO_FILE;
    private int program = NO_FILE;
    private int programIdentity;
    private int limited;
    private int limitsRequired;
    private volatile byte @Nullable [] encoded;

    /** Adds a step. If the host refuses it, the helper is started without it. */
    public Plan attempt(UmhStage step) {
        steps |= Stages.bit(step);
        return this;
    }

    /** Adds a step. If the host refuses it, the start fails. */
    public Plan require(UmhStage step) {
        required |= Stages.bit(step);
        return attempt(step);
    }

    /** Sets a resource limit; one that is not required may stay as the JVM has it. */
    public void rlimit(int resource, long soft, long hard, boolean required) {
        rlimits[2 * resource] = soft;
        rlimits[2 * resource + 1] = hard;
        limited |= 1 << resource;
        limitsRequired |= required ? 1 << resource : 0;
    }

    /** Overrides which of the added steps and limits are required; a bit for each. */
    public void overrideRequired(long optional, long mandatory, int optionalLimits, int mandatoryLimits) {
        required = (required | mandatory & steps) & ~optional;
        limitsRequired = (limitsRequired | mandatoryLimits & limited) & ~optionalLimits;
    }

    /** Gives the helper our descriptor fd as its descriptor target; targets come in ascending order. */
    public void descriptor(int target, int fd) {
        files.add(new int[] {target, fd});
    }

    /** Has the launcher make our descriptor, a terminal, the controlling one. */
    public void terminal(int fd) {
        terminal = extra(fd);
    }

    /** Has the process born in the cgroup of this folder, or enter it where the kernel can't do that. */
    public void cgroup(int fd) {
        cgroup = extra(fd);
        cgroupFd = fd;
    }

    /** Has the launcher enter namespaces; fd is a pidfd or a namespace's file, flags the CLONE_NEW* wanted of it. */
    public void join(int fd, int cloneFlags) {
        joins.add(new int[] {extra(fd), cloneFlags});
    }

    /** Leaves these rights below our descriptor of a folder or file. */
    public void landlockRule(int fd, long access) {
        rules.add(new long[] {access, extra(fd)});
    }

    /** Has this program executed instead of the path. */
    public void program(Blob blob) {
        program = extra(blob.fd());
        programIdentity = blob.shortIdentity();
        flags |= blob.isScript() ? SCRIPT : 0;
    }

    private int extra(int fd) {
        extras.add(fd);
        return extras.size() - 1;
    }

    /** Our descriptors in the order in which they are sent: the helper's by target, then the launcher's. */
    int[] fds() {
        int[] fds = new int[files.size() + extras.size()];
        for (int i = 0; i < fds.length; i++) {
            fds[i] = i < files.size() ? files.get(i)[1] : extras.get(i - files.size());
        }
        return fds;
    }

    int cgroupFd() {
        return cgroupFd;
    }

    /** The plan as bytes, variable parts behind the fixed one; each time new ones. From then on it does not change. */
    byte[] encode() {
        if (encoded == null) {
            encoded = encoding();
        }
        return encoded.clone();
    }

    private byte[] encoding() {
        byte[][] parts = {
            affinity,
            terminated(cwd),
            terminated(root),
            terminated(keyring),
            terminated(execLabel),
            terminated(uidMap),
            terminated(gidMap),
            terminated(setgroups),
            files(),
            ints(groups),
            joins(),
            rules(),
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
        plan.putInt(place(terminal)).putInt(place(cgroup)).putInt(limited).putInt(limitsRequired);
        plan.putInt(place(program)).putInt(programIdentity);
    }

    /** Their spans in the fixed part, and their bytes behind it. */
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

    /** Where a descriptor of the launcher's stands among all that are sent. */
    private int place(int extra) {
        return extra == NO_FILE ? NO_FILE : files.size() + extra;
    }

    private byte[] files() {
        int[] words = new int[2 * (files.size() + extras.size())];
        for (int i = 0; i < words.length / 2; i++) {
            words[2 * i] = i < files.size() ? files.get(i)[0] : NO_TARGET;
            words[2 * i + 1] = NO_FILE;
        }
        return ints(words);
    }

    private byte[] joins() {
        int[] words = new int[2 * joins.size()];
        for (int i = 0; i < joins.size(); i++) {
            words[2 * i] = place(joins.get(i)[0]);
            words[2 * i + 1] = joins.get(i)[1];
        }
        return ints(words);
    }

    private byte[] rules() {
        ByteBuffer bytes = ByteBuffer.allocate(rules.size() * 2 * Long.BYTES).order(ByteOrder.nativeOrder());
        for (long[] rule : rules) {
            bytes.putLong(rule[0]).putInt(place((int) rule[1])).putInt(0);
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
