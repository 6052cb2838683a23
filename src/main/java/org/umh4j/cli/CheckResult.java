// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import picocli.CommandLine.Help.Ansi;

/**
 * One thing that umh doctor has looked at.
 *
 * @param subject what it is about, in a word or two
 * @param state how it stands
 * @param words what that means for helpers
 * @param remedy what would change that; empty where there is nothing to do, or the words say it
 */
record CheckResult(String subject, State state, String words, String remedy) {
    /** How it stands. */
    enum State {
        /** As on an ordinary host. */
        OK("green"),
        /** Helpers start, but not with everything that the kernel's would have. */
        LIMITED("yellow"),
        /** Helpers don't start. */
        MISSING("bold,red"),
        /** The host permits it. */
        YES("green"),
        /** The host refuses it. */
        NO("yellow");

        private final String style;

        State(String style) {
            this.style = style;
        }

        /** In a column of its own; coloured on a terminal alone. */
        String painted() {
            return Ansi.AUTO.string("@|" + style + " " + this + "|@") + " ".repeat(WIDTH - name().length());
        }
    }

    private static final int WIDTH = 8;

    static CheckResult ok(String subject, String words) {
        return new CheckResult(subject, State.OK, words, "");
    }

    static CheckResult limited(String subject, String words, String remedy) {
        return new CheckResult(subject, State.LIMITED, words, remedy);
    }

    static CheckResult missing(String subject, String words) {
        return new CheckResult(subject, State.MISSING, words, "");
    }

    String text() {
        String line = String.format("%s %-16s %s", state.painted(), subject, words);
        return remedy.isEmpty() ? line : line + String.format("%n%-25s to change that: %s", "", remedy);
    }
}
