// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * A helper that was told to end because it took too long. The message says which signals it got when; the status in the
 * result says what it made of them: it may have ended by itself.
 */
public final class HelperTimeoutException extends HelperFailedException {
    private static final long serialVersionUID = 1;

    HelperTimeoutException(String message, Result result) {
        super(message, result, null);
    }
}
