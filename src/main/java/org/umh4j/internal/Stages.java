// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** The names of the stages as the shim knows them. */
public final class Stages {
    private static final int ROOM = 1024;

    private Stages() {}

    /** In their order; {@code UmhStage} must have the same. */
    public static List<String> ofTheShim() {
        byte[] names = new byte[ROOM];
        int size = Native.stageNames(names, names.length);
        return List.of(new String(names, 0, size, StandardCharsets.US_ASCII).trim().split(" "));
    }
}
