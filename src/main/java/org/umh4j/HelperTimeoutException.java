// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;

/** A helper that was ended because it took too long. What it had written until then is in the result. */
public final class HelperTimeoutException extends IOException {
    private static final long serialVersionUID = 1;

    /** The partial result. */
    private final transient Result result;

    HelperTimeoutException(String message, Result result) {
        super(message);
        this.result = result;
    }

    /** How it ended, and its output until then. */
    public Result result() {
        return result;
    }
}
