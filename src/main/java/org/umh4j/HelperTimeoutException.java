// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by {@code run} when the timeout expired before the helper had ended or, more rarely, was started.
 *
 * <p>A helper that was started is sent SIGTERM, and SIGKILL after the grace period. {@link RunResult#signalsSent} lists
 * the signals and their times, the message has the timeout and the grace period. The status shows the effect of the
 * signals: a helper that handles SIGTERM may have exited normally.
 *
 * <p>The timeout may also expire before {@code execve}. Then no program was executed, no helper runs,
 * no signal is listed, the status is lost, and the cause is a {@link UmhException} with the stage.
 */
public final class HelperTimeoutException extends HelperFailedException {
    private static final long serialVersionUID = 1;

    HelperTimeoutException(String message, RunResult result, @Nullable Throwable cause) {
        super(message, result, cause);
    }
}
