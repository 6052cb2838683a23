// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import org.jspecify.annotations.Nullable;
import org.umh4j.linux.UmhStage;

/** The failure of a stage. Package org.umh4j records it in the call, and throws a UmhException to the caller. */
public final class StageFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final UmhStage stage;
    private final int result;
    private final int detail;
    private final @Nullable String object;

    /**
     * Creates a failure.
     *
     * @param result the negative errno
     * @param detail the number of the descriptor, limit, capability or signal, or 0
     */
    public StageFailure(UmhStage stage, int result, int detail) {
        this(stage, result, detail, null);
    }

    /** Creates a failure with the path of the file that could not be opened. */
    public StageFailure(UmhStage stage, int result, int detail, @Nullable String object) {
        super(stage.name(), null, false, false); // users see the UmhException, so this one needs no stack trace
        this.stage = stage;
        this.result = result;
        this.detail = detail;
        this.object = object;
    }

    /** Loads this class: later there may be no descriptor left to open its jar. */
    public static void load() {}

    public UmhStage stage() {
        return stage;
    }

    public int result() {
        return result;
    }

    public int detail() {
        return detail;
    }

    public @Nullable String object() {
        return object;
    }
}
