// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Plan;

/**
 * Whom a helper is grouped with, and its terminal. Immutable; each method answers a changed copy.
 *
 * @implSpec {@code setsid(2)}, {@code setpgid(2)}, {@code TIOCSCTTY}
 */
public final class Session {
    private enum Kind {
        SESSION,
        GROUP,
        INHERITED
    }

    private static final int NONE = -1;
    private static final Session OWN = new Session(Kind.SESSION, NONE);
    private static final Session INHERITED = new Session(Kind.INHERITED, NONE);

    private final Kind kind;
    private final int terminal;

    private Session(Kind kind, int terminal) {
        this.kind = kind;
        this.terminal = terminal;
    }

    /** A session of its own, without a terminal: the default. */
    public static Session own() {
        return OWN;
    }

    /** The JVM's session and terminal, in a process group of its own. */
    public static Session ownGroup() {
        return new Session(Kind.GROUP, NONE);
    }

    /** The JVM's session, group and terminal: what is typed there to interrupt the JVM interrupts the helper too. */
    public static Session inherited() {
        return INHERITED;
    }

    /**
     * A session of its own, with this terminal as its controlling one.
     *
     * @param fd this JVM's descriptor of a terminal, such as the slave of a pty; the helper does not get it by this
     */
    public static Session terminal(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        return new Session(Kind.SESSION, fd);
    }

    boolean hasTerminal() {
        return terminal != NONE;
    }

    void into(Plan plan) {
        if (kind != Kind.INHERITED) {
            plan.require(UmhStage.SESSION.bit());
        }
        plan.flags |= kind == Kind.GROUP ? Plan.GROUP : 0;
        if (hasTerminal()) {
            plan.require(UmhStage.TERMINAL.bit());
            plan.terminal(terminal);
        }
    }
}
