// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.jspecify.annotations.Nullable;

/**
 * A helper that was told to end because it took too long. {@link RunResult#sent} says which signals it was sent when, the
 * message after which timeout and grace; the status says what it made of them: it may have ended by itself.
 *
 * <p>The timeout may also expire before the program has begun. Then no helper runs, the status is lost, and the cause
 * names the stage.
 */
public final class HelperTimeoutException extends HelperFailedException {
    private static final long serialVersionUID = 1;

    HelperTimeoutException(String message, RunResult result, @Nullable Throwable cause) {
        super(message, result, cause);
    }
}
