// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.stream.IntStream;
import org.umh4j.task.SignalState;

/**
 * Makes the launcher issue many system calls for signals: one for each signal that this JVM does not ignore, most of
 * 62.
 */
public final class Ignoring {
    private static final int SIGKILL = 9;
    private static final int SIGSTOP = 19;
    private static final int LAST = 64;

    private Ignoring() {}

    /** All that can be. */
    public static SignalState everySignal() {
        return SignalState.defaults()
                .ignore(IntStream.rangeClosed(1, LAST)
                        .filter(signal -> signal != SIGKILL && signal != SIGSTOP)
                        .toArray());
    }
}
