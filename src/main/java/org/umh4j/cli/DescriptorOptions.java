// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Descriptors;
import picocli.CommandLine.Option;

/** The options for the helper's open descriptors. */
final class DescriptorOptions {
    @Option(
            names = "--stdin",
            paramLabel = "SOURCE",
            converter = InputConverter.class,
            completionCandidates = InputConverter.class,
            description = "Standard input: inherit (default), null, none, or a file, opened for reading.")
    @Nullable
    DescriptorSource stdin;

    @Option(
            names = "--stdout",
            paramLabel = "SOURCE",
            converter = OutputConverter.class,
            completionCandidates = OutputConverter.class,
            description = "Standard output: inherit (default), null, none, or a file, which is created or overwritten.")
    @Nullable
    DescriptorSource stdout;

    @Option(
            names = "--stderr",
            paramLabel = "SOURCE",
            converter = OutputConverter.class,
            completionCandidates = OutputConverter.class,
            description = "Standard error: inherit (default), null, none, or a file, which is created or overwritten.")
    private @Nullable DescriptorSource stderr;

    @Option(
            names = "--fd",
            paramLabel = "N=SOURCE",
            converter = {NumberConverter.class, SourceConverter.class},
            description = "Descriptor N: inherit:M for umh's descriptor M, null, none, read:FILE, write:FILE or"
                    + " append:FILE, which create the file, or an existing FILE, opened for reading and writing."
                    + " Repeatable.")
    private Map<Integer, DescriptorSource> numbered = new LinkedHashMap<>();

    /** Returns the descriptors. Standard descriptors without an option have the default source. */
    Descriptors descriptors(DescriptorSource defaultSource) {
        Descriptors all = Descriptors.none();
        DescriptorSource[] standard = {stdin, stdout, stderr};
        for (int target = 0; target < standard.length; target++) {
            all = (standard[target] == null ? defaultSource : standard[target]).addTo(all, target);
        }
        for (Map.Entry<Integer, DescriptorSource> one : numbered.entrySet()) {
            all = one.getValue().addTo(all, one.getKey());
        }
        return all;
    }

    /** The source of a standard descriptor. */
    private abstract static class StandardConverter extends ValueConverter<DescriptorSource> {
        @Override
        List<String> candidates() {
            return List.of("inherit", "null", "none");
        }
    }

    /** A path is opened for reading. */
    static final class InputConverter extends StandardConverter {
        @Override
        DescriptorSource parse(String text) {
            return DescriptorSource.parse(text, DescriptorSource.Kind.READ);
        }
    }

    /** A path is opened for writing. */
    static final class OutputConverter extends StandardConverter {
        @Override
        DescriptorSource parse(String text) {
            return DescriptorSource.parse(text, DescriptorSource.Kind.WRITE);
        }
    }

    /** The number of a descriptor. */
    static final class NumberConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int number = NumberParser.integer(text);
            Descriptors.none().inherit(number, 0);
            return number;
        }
    }

    /** The source of a descriptor that is given by its number. */
    static final class SourceConverter extends ValueConverter<DescriptorSource> {
        @Override
        DescriptorSource parse(String text) {
            return DescriptorSource.parse(text);
        }
    }
}
