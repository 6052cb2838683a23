// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown by {@code run} and {@link RunResult#requireSuccess} for a helper that did not end as required. It was started,
 * with one exception: a {@link HelperTimeoutException} may also mean that it was not started in time.
 */
public class HelperFailedException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient RunResult result;

    HelperFailedException(String message, RunResult result, @Nullable Throwable cause) {
        super(message, cause);
        this.result = result;
    }

    /** Returns the helper's status, and its output until the failure. A deserialized exception has no result: null. */
    public RunResult result() {
        return result;
    }
}
