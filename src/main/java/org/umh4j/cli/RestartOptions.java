// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import org.umh4j.RestartBackoff;
import picocli.CommandLine.Option;

/** The options for the restarts of a driver. */
final class RestartOptions {
    @Option(
            names = "--supervise",
            description =
                    "Starts the driver again when it ends with another status than 0. The first pause is 100 ms, each"
                            + " further one is twice as long, up to 10 s.")
    boolean isSupervised;

    @Option(
            names = "--restarts",
            paramLabel = "N",
            converter = LimitConverter.class,
            description = "The most restarts within one minute; 0 for none. Default: 5.")
    private int limit = RestartBackoff.DEFAULT_LIMIT;

    RestartBackoff backoff() {
        return new RestartBackoff(
                RestartBackoff.DEFAULT_FIRST_PAUSE,
                RestartBackoff.DEFAULT_LONGEST_PAUSE,
                limit,
                RestartBackoff.DEFAULT_WINDOW);
    }

    /** A number of restarts. */
    static final class LimitConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            return NumberParser.integer(text);
        }
    }
}
