// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

/**
 * The session, process group and controlling terminal of a helper. Immutable, with one factory for each choice.
 *
 * <p>The default is a new session without a terminal, as in helpers of the kernel: the keys of the JVM's terminal do
 * not signal the helper.
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

    /** Returns a new session without a terminal. */
    public static Session defaults() {
        return NEW;
    }

    /** Returns a new session without a terminal, {@code setsid(2)}. Equal to {@link #defaults()}. */
    public static Session newSession() {
        return NEW;
    }

    /**
     * Returns the JVM's session and terminal, with a new process group, {@code setpgid(2)}. The helper leads no
     * session, so {@link KillScope#SESSION} reaches no process.
     */
    public static Session newGroup() {
        return new Session(Kind.GROUP, NONE);
    }

    /**
     * Returns the JVM's session, process group and terminal. Ctrl-C in that terminal signals JVM and helper. The helper
     * leads neither a group nor a session, so {@link KillScope#GROUP} and {@link KillScope#SESSION} reach no process.
     */
    public static Session inherited() {
        return INHERITED;
    }

    /**
     * Returns a new session with this controlling terminal, {@code setsid(2)} and {@code TIOCSCTTY}.
     *
     * <p>The helper does not get the descriptor by this call; {@link Descriptors} pass it. Stage
     * {@link UmhStage#TERMINAL}: {@code ENOTTY} for another file, {@code EBADF} for a closed descriptor, {@code EPERM}
     * if the terminal belongs to another session.
     *
     * @param fd the JVM's descriptor of a terminal, such as the subordinate end of a pty
     * @throws IllegalArgumentException for a negative number
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
        plan.flags |= kind == Kind.GROUP ? Plan.SETPGID : 0;
        if (hasTerminal()) {
            plan.require(UmhStage.TERMINAL);
            plan.terminal(terminal);
        }
    }
}
