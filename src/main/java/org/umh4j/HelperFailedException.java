// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A helper that was run and did not end as it should have. What it had written until then is in the result. */
public class HelperFailedException extends IOException {
    private static final long serialVersionUID = 1;

    /** The result, as far as there is one. */
    private final transient RunResult result;

    HelperFailedException(String message, RunResult result, @Nullable Throwable cause) {
        super(message, cause);
        this.result = result;
    }

    /** How it ended, and its output until then. */
    public RunResult result() {
        return result;
    }
}
