// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import picocli.CommandLine.Help.Ansi;

/**
 * The result of one check of {@code umh doctor}.
 *
 * @param subject the property of the host, in at most 16 characters
 * @param state the outcome
 * @param message the details for helpers
 * @param hint the change to the host that would improve the outcome; empty if there is none
 */
record CheckResult(String subject, State state, String message, String hint) {
    /** The outcome of a check. */
    enum State {
        /** The host permits everything that a helper of the kernel has. */
        OK("green"),
        /** Helpers start without some attribute of a helper of the kernel. */
        LIMITED("yellow"),
        /** Helpers can't be started. */
        MISSING("bold,red"),
        /** The host permits the attribute. */
        YES("green"),
        /** The host refuses the attribute. */
        NO("yellow");

        private final String style;

        State(String style) {
            this.style = style;
        }

        /** Returns the state, padded to a column; colored on a terminal only. */
        String painted() {
            return Ansi.AUTO.string("@|" + style + " " + this + "|@") + " ".repeat(WIDTH - name().length());
        }
    }

    private static final int WIDTH = 8;

    static CheckResult ok(String subject, String message) {
        return new CheckResult(subject, State.OK, message, "");
    }

    static CheckResult limited(String subject, String message, String hint) {
        return new CheckResult(subject, State.LIMITED, message, hint);
    }

    static CheckResult missing(String subject, String message) {
        return new CheckResult(subject, State.MISSING, message, "");
    }

    String text() {
        String line = String.format("%s %-16s %s", state.painted(), subject, message);
        return hint.isEmpty() ? line : line + String.format("%n%-25s to change that: %s", "", hint);
    }
}
