// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import org.umh4j.linux.Errno;

/**
 * An exception by which a {@link CredInit} function refuses a call. Its number becomes the result of the call,
 * unchanged.
 *
 * <p>A positive number looks like a wait status in the result of {@code exec}.
 * {@link SubprocessInfo#failure} is present if init refused the call.
 */
public final class InitException extends Exception {
    private static final long serialVersionUID = 1;

    /** The result of the call. */
    private final int retval;

    /**
     * Creates an exception with a number, by convention a negative errno.
     *
     * @throws IllegalArgumentException for 0, which would mean success
     */
    public InitException(int retval) {
        super("the init function refused the call with " + retval);
        if (retval == 0) {
            throw new IllegalArgumentException("retval is 0, which means success; use a negative errno");
        }
        this.retval = retval;
    }

    /** Creates an exception with the negative number of an errno. */
    public InitException(Errno errno) {
        this(-Objects.requireNonNull(errno, "errno").number());
    }

    /** Returns the result of the call. */
    public int retval() {
        return retval;
    }
}
