// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import org.umh4j.linux.Errno;

/** Thrown by an init function that refuses. Its number becomes the result of the call, unchanged. */
public final class InitException extends Exception {
    private static final long serialVersionUID = 1;

    /** What the call returns. */
    private final int retval;

    /**
     * Refuses with a number; by custom a negative errno.
     *
     * @throws IllegalArgumentException for 0, which would mean success
     */
    public InitException(int retval) {
        super("init refused with " + retval);
        if (retval == 0) {
            throw new IllegalArgumentException("0 means success; refuse with a negative errno");
        }
        this.retval = retval;
    }

    /** Refuses with an errno, negated. */
    public InitException(Errno errno) {
        this(-Objects.requireNonNull(errno, "errno").number());
    }

    /** The number. */
    public int retval() {
        return retval;
    }
}
