// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Objects;

/** Checks a caller's arguments before anything changes; the exception names the argument. */
public final class Arguments {
    private Arguments() {}

    /** An array without null in it. */
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
