// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by {@code run} when the helper did not end within the timeout and was sent SIGTERM.
 *
 * <p>{@link RunResult#signalsSent} lists the signals and their times, the message has the timeout and the grace period.
 * The status shows the effect of the signals: a helper that handles SIGTERM may have exited normally.
 *
 * <p>The timeout may also expire before {@code execve}. Then no helper runs, the status is lost, and the cause names
 * the stage.
 */
public final class HelperTimeoutException extends HelperFailedException {
    private static final long serialVersionUID = 1;

    HelperTimeoutException(String message, RunResult result, @Nullable Throwable cause) {
        super(message, result, cause);
    }
}
