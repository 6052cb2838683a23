// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Objects;

/** Checks the arguments of a public method. The exception names the argument. */
public final class Arguments {
    private Arguments() {}

    /** Returns the array, or throws a NullPointerException if the array or one of its elements is null. */
    public static <T> T[] nonNull(T[] values, String name) {
        Objects.requireNonNull(values, name);
        for (int i = 0; i < values.length; i++) {
            if (values[i] == null) {
                throw new NullPointerException(name + "[" + i + "]");
            }
        }
        return values;
    }
}
