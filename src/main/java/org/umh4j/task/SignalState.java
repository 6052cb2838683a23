// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.util.Objects;
import org.umh4j.internal.Plan;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/**
 * The signal dispositions, signal mask and parent death signal of a helper. Immutable; each method returns a changed
 * copy.
 *
 * <p>{@link #defaults()} resets all 64 signals to their default action, also those that the JVM ignores. No signal is
 * blocked, and there is no parent death signal. Signals are given by their numbers, 1 to {@value Signal#MAX}; see
 * {@link Signal#number()}.
 *
 * @implSpec {@code flush_signal_handlers(current, 1)} in {@code call_usermodehelper_exec_async()}, Linux 6.12
 */
public final class SignalState {
    private static final long KILL_AND_STOP = bit(Signal.KILL.number()) | bit(Signal.STOP.number());
    private static final SignalState DEFAULTS = new SignalState(0, 0, 0);

    private final long blocked;
    private final long ignored;
    private final int parentDeathSignal;

    private SignalState(long blocked, long ignored, int parentDeathSignal) {
        this.blocked = blocked;
        this.ignored = ignored;
        this.parentDeathSignal = parentDeathSignal;
    }

    /** Returns the state of a kernel helper. */
    public static SignalState defaults() {
        return DEFAULTS;
    }

    /**
     * Blocks these signals, {@code sigprocmask(2)}, in addition to those of earlier calls.
     *
     * @param signals numbers of signals, {@link Signal#number()}
     * @throws IllegalArgumentException for KILL and STOP, which can't be blocked, and for other numbers than 1 to 64
     */
    public SignalState block(int... signals) {
        return new SignalState(blocked | bits(signals), ignored, parentDeathSignal);
    }

    /**
     * Ignores these signals, {@code SIG_IGN}, in addition to those of earlier calls.
     *
     * @param signals numbers of signals, {@link Signal#number()}
     * @throws IllegalArgumentException for KILL and STOP, which can't be ignored, and for other numbers than 1 to 64
     */
    public SignalState ignore(int... signals) {
        return new SignalState(blocked, ignored | bits(signals), parentDeathSignal);
    }

    /**
     * Sends the helper this signal when the JVM ends in any way, {@code PR_SET_PDEATHSIG}.
     *
     * <p>The kernel sends the signal at the end of the <em>thread</em> that created the process. Therefore a thread of
     * the library, which lives as long as the JVM or the helper, creates such a helper.
     *
     * <p>The kernel clears the signal in these cases, and the helper then outlives the JVM:
     *
     * <ul>
     *   <li>The program changes its effective uid or gid, or gains capabilities, after its start.
     *   <li>The program, or a program that it executes later, is set-user-ID or set-group-ID to another id, or has file
     *       capabilities.
     *   <li>The task sets an effective id that is not the real id, {@link Cred#uids(long, long, long)} or
     *       {@link Cred#gids(long, long, long)}. {@code execve(2)} then clears the signal.
     * </ul>
     *
     * <p>Any other identity of the task does not clear it, since the launcher sets the signal after the identity. A
     * child of the helper has no parent death signal.
     */
    public SignalState parentDeathSignal(Signal signal) {
        return new SignalState(
                blocked, ignored, Objects.requireNonNull(signal, "signal").number());
    }

    /** Returns whether the helper has a parent death signal. */
    public boolean hasParentDeathSignal() {
        return parentDeathSignal != 0;
    }

    void writeTo(Plan plan) {
        plan.require(UmhStage.SIGNALS);
        plan.blocked = blocked;
        plan.ignored = ignored;
        if (parentDeathSignal != 0) {
            plan.require(UmhStage.PARENT_DEATH);
            plan.parentDeathSignal = parentDeathSignal;
        }
    }

    private static long bits(int... signals) {
        long bits = 0;
        for (int signal : Objects.requireNonNull(signals, "signals")) {
            if (signal < 1 || signal > Signal.MAX) {
                throw new IllegalArgumentException("signal " + signal + " is not in 1 to " + Signal.MAX);
            }
            if ((bit(signal) & KILL_AND_STOP) != 0) {
                throw new IllegalArgumentException("signal " + signal + " can be neither blocked nor ignored");
            }
            bits |= bit(signal);
        }
        return bits;
    }

    private static long bit(int signal) {
        return 1L << (signal - 1);
    }
}
