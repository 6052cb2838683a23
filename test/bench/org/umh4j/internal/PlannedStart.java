// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A start by an encoded plan without some of its steps; an exact helper needs all of them. */
public final class PlannedStart {
    /** The offset of the steps in struct umh_plan. */
    private static final int STEPS = 8;

    private final byte[] strings;
    private final byte[] encoded;
    private final long[] answer = new long[Native.resultCount()];

    private PlannedStart(byte[] strings, byte[] encoded) {
        this.strings = strings;
        this.encoded = encoded;
    }

    /** The steps of a plan. */
    public static long steps(Plan plan) {
        return buffer(plan.encode()).getLong(STEPS);
    }

    /** A start with these steps of the plan alone, of a program without arguments. */
    public static PlannedStart of(String path, Plan plan, long steps) {
        byte[] encoded = plan.encode();
        buffer(encoded).putLong(STEPS, buffer(encoded).getLong(STEPS) & steps);
        return new PlannedStart((path + "\0" + path + "\0").getBytes(StandardCharsets.UTF_8), encoded);
    }

    private static ByteBuffer buffer(byte[] encoded) {
        return ByteBuffer.wrap(encoded).order(ByteOrder.nativeOrder());
    }

    /** Starts and waits for the end: 0. */
    public int run() {
        return Native.start(
                strings,
                strings.length,
                1,
                0,
                encoded,
                encoded.length,
                new int[0],
                0,
                -1,
                Native.untilExit(),
                0,
                answer);
    }
}
