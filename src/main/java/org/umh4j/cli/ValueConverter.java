// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Converts the text of an option's value. picocli reports a refused text with the name of the option.
 *
 * <p>It also iterates over the values that a shell offers for completion, so an option names the same class as its
 * converter and as its completion candidates.
 *
 * @param <T> the type of the option
 */
abstract class ValueConverter<T> implements ITypeConverter<T>, Iterable<String> {
    /**
     * Converts a value.
     *
     * @throws IllegalArgumentException if the text is refused; the message has the text and the permitted range
     */
    abstract T parse(String text);

    /** Returns the values for completion. */
    List<String> candidates() {
        return List.of();
    }

    @Override
    public final T convert(String text) {
        try {
            return parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    @Override
    public final Iterator<String> iterator() {
        return candidates().iterator();
    }
}
