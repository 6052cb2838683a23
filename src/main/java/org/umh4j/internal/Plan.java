// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * What the launcher is told: {@code struct umh_plan} of {@code umh_plan.h}, field by field in its order.
 *
 * <p>A new plan asks for nothing. Each step is asked for by its stage; one that is not required and fails leaves the
 * attribute as the JVM has it, and is reported.
 */
public final class Plan {
    private static final int ALIGNMENT = 8;

    private long steps;
    private long required;

    public long bounding = -1;
    public long inheritable;
    public long timerSlackNanos;
    public int nice;
    public int oomScoreAdj;
    public int policy;
    public int priority;
    public int ioprio;
    public int umask;
    public int personality;
    public int coredumpFilter;
    /** Cpu mask, eight cpus a byte; null: every cpu. */
    public byte[] affinity;
    /** Path without NUL; null: the root folder. */
    public byte[] cwd;
    /** Soft and hard limit of each resource in turn. */
    public final long[] rlimits = new long[2 * Native.rlimits()];

    private final List<int[]> files = new ArrayList<>();

    /** Asks for a step; stage is the ordinal of its UmhStage. */
    public Plan step(int stage) {
        steps |= 1L << stage;
        return this;
    }

    /** Asks for a step that must not fail. */
    public Plan require(int stage) {
        required |= 1L << stage;
        return step(stage);
    }

    /** Gives the helper our descriptor fd as its descriptor target. */
    public void file(int target, int fd) {
        files.add(new int[] {target, fd});
    }

    /** Our descriptors, in the order of their targets: the order in which they are sent. */
    int[] fds() {
        return files.stream().mapToInt(file -> file[1]).toArray();
    }

    /** The plan as bytes, variable parts behind the fixed one. */
    byte[] encode() {
        files.sort((a, b) -> Integer.compareUnsigned(a[0], b[0]));
        int fixed = Native.planSize();
        int affinityAt = fixed;
        int cwdAt = aligned(affinityAt + length(affinity));
        int filesAt = aligned(cwdAt + terminated(cwd));
        int size = filesAt + files.size() * 2 * Integer.BYTES;
        ByteBuffer plan = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        plan.putInt(Native.planMagic()).putInt(size);
        plan.putLong(steps).putLong(required);
        plan.putLong(bounding).putLong(inheritable).putLong(timerSlackNanos);
        plan.putInt(nice).putInt(oomScoreAdj).putInt(policy).putInt(priority).putInt(ioprio);
        plan.putInt(umask).putInt(personality).putInt(coredumpFilter);
        plan.putInt(affinityAt).putInt(length(affinity));
        plan.putInt(cwdAt).putInt(terminated(cwd));
        plan.putInt(filesAt).putInt(files.size() * 2 * Integer.BYTES);
        for (long limit : rlimits) {
            plan.putLong(limit);
        }
        if (plan.position() != fixed) {
            throw new AssertionError("struct umh_plan has " + fixed + " bytes, " + plan.position() + " were written");
        }
        put(plan, affinityAt, affinity);
        put(plan, cwdAt, cwd);
        plan.position(filesAt);
        files.forEach(file -> plan.putInt(file[0]).putInt(-1));
        return plan.array();
    }

    private static void put(ByteBuffer plan, int at, byte[] part) {
        if (part != null) {
            plan.position(at);
            plan.put(part);
        }
    }

    private static int length(byte[] part) {
        return part == null ? 0 : part.length;
    }

    private static int terminated(byte[] path) {
        return path == null ? 0 : path.length + 1;
    }

    private static int aligned(int offset) {
        return (offset + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
