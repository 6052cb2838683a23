// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.umh4j.UmhWait;
import picocli.CommandLine.Option;

/** The options for the end of the wait, and for the result. */
final class WaitOptions {
    /** The values of {@code --wait}. */
    enum Until {
        NONE,
        EXEC,
        PROC
    }

    @Option(
            names = "--wait",
            paramLabel = "none|exec|proc",
            description = "How long umh waits: none does not wait; exec waits until execve has succeeded; proc waits"
                    + " until the helper has ended (default).")
    private Until until = Until.PROC;

    @Option(
            names = "--killable",
            description = "Lets the helper continue when a signal ends umh. Without this option umh ends the helper.")
    private boolean killable;

    @Option(names = "--freezable", description = "Sets UMH_FREEZABLE: a freeze of helpers does not wait for this one.")
    private boolean freezable;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Ends the helper after this time, such as 500ms, 5s or 2m, counted from the start of umh: by"
                    + " SIGTERM, and by SIGKILL 2 s later.")
    @Nullable
    Duration timeout;

    @Option(
            names = "--json",
            description = "Prints the result as one JSON object, in the last line of standard output.")
    boolean json;

    /** Returns whether umh waits for the helper's end and ends the helper if umh is ended. */
    boolean isForeground() {
        return until == Until.PROC && !killable && !freezable;
    }

    boolean isForExit() {
        return until == Until.PROC;
    }

    boolean isForNothing() {
        return until == Until.NONE;
    }

    UmhWait flags() {
        UmhWait flags = switch (until) {
            case NONE -> UmhWait.NO_WAIT;
            case EXEC -> UmhWait.EXEC;
            case PROC -> UmhWait.PROC;
        };
        flags = killable ? flags.killable() : flags;
        return freezable ? flags.freezable() : flags;
    }
}
