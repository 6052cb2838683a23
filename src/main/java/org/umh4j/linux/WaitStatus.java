// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/**
 * The end of a process: an exit code, a signal, or lost.
 *
 * <p>An exit with code 137 and a death by SIGKILL are two different statuses here. <em>Lost</em> means that no status
 * is known, for one of three reasons. It is never reported as an exit with code 0.
 *
 * <ul>
 *   <li>Other code in this JVM has reaped the process before the library. Since Linux 6.15 the kernel keeps a copy of
 *       the status for the pidfd, so it is not lost there.
 *   <li>{@code run} has stopped waiting for a process that still hangs in the kernel after SIGKILL. The result
 *       is then in a {@code HelperFailedException} or {@code HelperTimeoutException}.
 *   <li>The timeout of {@code run} has expired before a program was executed. The result is then in a
 *       {@code HelperTimeoutException}.
 * </ul>
 *
 * @param raw the status as {@code wait(2)} encodes it, or -1 for lost
 */
public record WaitStatus(int raw) {
    /** The unknown status. */
    public static final WaitStatus LOST = new WaitStatus(-1);

    private static final int SIGNAL_MASK = 0x7f;
    private static final int CORE_FLAG = 0x80;
    private static final int SHELL_SIGNAL_BASE = 128;

    /** Returns whether the status is unknown. */
    public boolean lost() {
        return raw == LOST.raw;
    }

    /** Returns whether the process has exited by {@code exit_group(2)}; {@code WIFEXITED}. */
    public boolean exited() {
        return !lost() && (raw & SIGNAL_MASK) == 0;
    }

    /** Returns whether a signal has killed the process; {@code WIFSIGNALED}. */
    public boolean signaled() {
        return !lost() && !exited();
    }

    /** Returns whether the process has exited with code 0. */
    public boolean success() {
        return raw == 0;
    }

    /**
     * Returns the exit code, 0 to 255; {@code WEXITSTATUS}.
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
     * Returns the number of the signal that has killed the process; {@code WTERMSIG}.
     *
     * @throws IllegalStateException if no signal has killed the process
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

    /** Returns whether the process has dumped core; {@code WCOREDUMP}. */
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
