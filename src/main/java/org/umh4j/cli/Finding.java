// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

/**
 * One thing that umh doctor has looked at.
 *
 * @param subject what it is about, in a word or two
 * @param state how it stands
 * @param words what that means for helpers, and what to do
 */
record Finding(String subject, State state, String words) {
    /** How it stands. */
    enum State {
        /** As on an ordinary host. */
        OK,
        /** Helpers start, but not with everything that the kernel's would have. */
        LIMITED,
        /** Helpers don't start. */
        MISSING
    }

    static Finding ok(String subject, String words) {
        return new Finding(subject, State.OK, words);
    }

    static Finding limited(String subject, String words) {
        return new Finding(subject, State.LIMITED, words);
    }

    static Finding missing(String subject, String words) {
        return new Finding(subject, State.MISSING, words);
    }

    String text() {
        return String.format("%-8s %-16s %s", state, subject, words);
    }
}
