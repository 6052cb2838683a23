// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.umh4j.linux.UmhStage;

/** Converts stages from and to the numbers and bit sets of C. */
public final class StageNumbers {
    private static final UmhStage[] ALL = UmhStage.values();
    private static final int NAMES_SIZE = 1024;

    private StageNumbers() {}

    public static UmhStage of(int number) {
        return ALL[number];
    }

    /** Returns the stages whose bits are set. */
    public static Set<UmhStage> of(long bits) {
        Set<UmhStage> stages = EnumSet.noneOf(UmhStage.class);
        for (UmhStage stage : ALL) {
            if ((bits & bit(stage)) != 0) {
                stages.add(stage);
            }
        }
        return stages;
    }

    public static long bit(UmhStage stage) {
        return 1L << stage.ordinal();
    }

    /** Returns the names of the list in C. {@link UmhStage} must have the same. */
    public static List<String> namesInC() {
        byte[] names = new byte[NAMES_SIZE];
        int size = Native.stageNames(names, names.length);
        return List.of(
                new String(names, 0, size, StandardCharsets.US_ASCII).trim().split(" "));
    }
}
