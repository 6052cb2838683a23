// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/**
 * How a process ended: with an exit code, by a signal, or lost.
 *
 * <p>{@code exit 137} and a death by SIGKILL are two different statuses here. <em>Lost</em> means that the process has
 * ended and that somebody else in this JVM has taken its status, on a kernel that keeps no copy of it (before 6.15); it
 * is never reported as an exit with 0.
 *
 * @param raw the status as {@code wait(2)} encodes it; -1 when lost
 */
public record WaitStatus(int raw) {
    /** The status that nobody knows. */
    public static final WaitStatus LOST = new WaitStatus(-1);

    private static final int SIGNAL_MASK = 0x7f;
    private static final int CORE_FLAG = 0x80;
    private static final int SHELL_SIGNAL_BASE = 128;

    /** Whether the process has ended and its status is unknown. */
    public boolean lost() {
        return raw == LOST.raw;
    }

    /** Whether the process called exit. */
    public boolean exited() {
        return !lost() && (raw & SIGNAL_MASK) == 0;
    }

    /** Whether a signal ended the process. */
    public boolean signaled() {
        return !lost() && !exited();
    }

    /** Whether the process exited with code 0. */
    public boolean success() {
        return raw == 0;
    }

    /**
     * The exit code, 0 to 255.
     *
     * @throws IllegalStateException if the process did not exit
     */
    public int exitCode() {
        if (!exited()) {
            throw new IllegalStateException("no exit code: " + this);
        }
        return raw >> 8 & 0xff;
    }

    /**
     * The number of the signal that ended the process.
     *
     * @throws IllegalStateException if none did
     */
    public int signal() {
        if (!signaled()) {
            throw new IllegalStateException("no signal: " + this);
        }
        return raw & SIGNAL_MASK;
    }

    /**
     * Returns the status as a shell shows it in {@code $?}: the exit code, or 128 plus the number of the signal.
     *
     * @throws IllegalStateException if the status is lost
     */
    public int shellStatus() {
        return exited() ? exitCode() : SHELL_SIGNAL_BASE + signal();
    }

    /** Whether the process left a core dump. */
    public boolean coreDumped() {
        return signaled() && (raw & CORE_FLAG) != 0;
    }

    @Override
    public String toString() {
        if (lost()) {
            return "status lost";
        }
        if (exited()) {
            return "exit code " + exitCode();
        }
        return "killed by " + Signal.name(signal()) + (coreDumped() ? " (core dumped)" : "");
    }
}
