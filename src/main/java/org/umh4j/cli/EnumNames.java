// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * The names of constants in the values of options: small letters, with {@code _} or {@code -} between words.
 *
 * <p>These are loops and not streams, because the first lambda of a class takes milliseconds in a new JVM.
 */
final class EnumNames {
    private EnumNames() {}

    /** Returns the names in small letters. */
    static List<String> of(Collection<? extends Enum<?>> constants) {
        List<String> names = new ArrayList<>();
        for (Enum<?> constant : constants) {
            names.add(constant.name().toLowerCase(Locale.ROOT));
        }
        return names;
    }

    /**
     * Returns the constant of this name.
     *
     * @param kind the kind of the constants, for the exception
     * @throws IllegalArgumentException if there is none
     */
    static <E extends Enum<E>> E parse(Collection<E> constants, String text, String kind) {
        for (E constant : constants) {
            if (constant.name().equalsIgnoreCase(text.replace('-', '_'))) {
                return constant;
            }
        }
        throw new IllegalArgumentException(
                "no " + kind + " '" + text + "'; there are " + String.join(", ", of(constants)));
    }
}
