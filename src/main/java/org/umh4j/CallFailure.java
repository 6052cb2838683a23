// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.jspecify.annotations.Nullable;
import org.umh4j.internal.LaunchResult;
import org.umh4j.internal.StageFailure;
import org.umh4j.internal.StageNumbers;
import org.umh4j.linux.UmhStage;

/**
 * The only place that turns a failed stage into an exception. It records the exception in the call and notifies
 * listeners.
 */
final class CallFailure {
    private CallFailure() {}

    /** Loads all classes that a later failure needs. */
    static void load() {
        UmhException.load();
        StageFailure.load();
    }

    static UmhException of(SubprocessInfo info, StageFailure failure) {
        return of(info, failure.stage(), failure.result(), failure.detail(), failure.object());
    }

    static UmhException of(SubprocessInfo info, LaunchResult launch) {
        return of(info, StageNumbers.of(launch.stage()), launch.result(), launch.detail());
    }

    /**
     * Creates and records the exception.
     *
     * @param result the negative errno
     * @param detail the number of the descriptor, limit, capability or signal that failed, else 0
     */
    static UmhException of(SubprocessInfo info, UmhStage stage, int result, int detail) {
        return of(info, stage, result, detail, null);
    }

    private static UmhException of(
            SubprocessInfo info, UmhStage stage, int result, int detail, @Nullable String object) {
        UmhException failure = new UmhException(info.path(), stage, result, detail, object);
        info.recordFailure(failure);
        HelperEvents.failed(info.path(), failure);
        return failure;
    }
}
