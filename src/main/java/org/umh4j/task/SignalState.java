// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.util.Objects;
import org.umh4j.internal.Plan;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/**
 * What signals do to a helper when it begins. Immutable; each method answers a changed copy.
 *
 * <p>{@link #defaults()} is the default: every signal at its default, none blocked, none for the parent's death.
 *
 * @implSpec {@code flush_signal_handlers(current, 1)} in {@code call_usermodehelper_exec_async()}, Linux 6.12
 */
public final class SignalState {
    private static final long UNSTOPPABLE = bit(Signal.KILL.number()) | bit(Signal.STOP.number());
    private static final SignalState DEFAULTS = new SignalState(0, 0, 0);

    private final long blocked;
    private final long ignored;
    private final int parentDeathSignal;

    private SignalState(long blocked, long ignored, int parentDeathSignal) {
        this.blocked = blocked;
        this.ignored = ignored;
        this.parentDeathSignal = parentDeathSignal;
    }

    /** As the kernel's helpers. */
    public static SignalState defaults() {
        return DEFAULTS;
    }

    /** Blocks these signals, by number; KILL and STOP can't be. */
    public SignalState block(int... signals) {
        return new SignalState(blocked | bits(signals), ignored, parentDeathSignal);
    }

    /** Ignores these signals, by number; KILL and STOP can't be. */
    public SignalState ignore(int... signals) {
        return new SignalState(blocked, ignored | bits(signals), parentDeathSignal);
    }

    /**
     * Sends the helper this signal when the JVM dies, however it dies.
     *
     * <p>The kernel sends it when the <em>thread</em> ends that made the process; so such helpers are made by a thread
     * of the library that lives as long as they do. Executing a set-user-ID program, or one with file capabilities,
     * clears it.
     */
    public SignalState parentDeathSignal(Signal signal) {
        return new SignalState(
                blocked, ignored, Objects.requireNonNull(signal, "signal").number());
    }

    /** Whether the helper gets a signal at the end of the JVM. */
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
            if ((bit(signal) & UNSTOPPABLE) != 0) {
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
