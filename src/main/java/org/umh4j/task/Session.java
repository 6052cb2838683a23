// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

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
    private static final Session NEW = new Session(Kind.SESSION, NONE);
    private static final Session INHERITED = new Session(Kind.INHERITED, NONE);

    private final Kind kind;
    private final int terminal;

    private Session(Kind kind, int terminal) {
        this.kind = kind;
        this.terminal = terminal;
    }

    /** A new session without a terminal. */
    public static Session defaults() {
        return NEW;
    }

    /** A new session without a terminal, {@code setsid(2)}: the default. */
    public static Session newSession() {
        return NEW;
    }

    /** The JVM's session and terminal, in a new process group. */
    public static Session newGroup() {
        return new Session(Kind.GROUP, NONE);
    }

    /** The JVM's session, group and terminal: what is typed there to interrupt the JVM interrupts the helper too. */
    public static Session inherited() {
        return INHERITED;
    }

    /**
     * A new session with this controlling terminal.
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

    void writeTo(Plan plan) {
        if (kind != Kind.INHERITED) {
            plan.require(UmhStage.SESSION);
        }
        plan.flags |= kind == Kind.GROUP ? Plan.GROUP : 0;
        if (hasTerminal()) {
            plan.require(UmhStage.TERMINAL);
            plan.terminal(terminal);
        }
    }
}
