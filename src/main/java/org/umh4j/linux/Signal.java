// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.Locale;
import java.util.Objects;

/**
 * The standard signals of {@code signal(7)}.
 *
 * <p>The numbers are the same on x86_64, arm64 and riscv64. Real-time signals have a number and no constant.
 */
public enum Signal {
    /** Hangup of the terminal. By convention, a daemon reads its configuration again. */
    HUP(1),
    /** The interrupt key of the terminal, Ctrl-C. */
    INT(2),
    /** The quit key of the terminal. Dumps core by default. */
    QUIT(3),
    /** An illegal instruction. */
    ILL(4),
    /** A breakpoint or trace trap. */
    TRAP(5),
    /** A call of {@code abort(3)}. */
    ABRT(6),
    /** A bus error, such as an access after the end of a mapped file. */
    BUS(7),
    /** An arithmetic error, such as an integer division by zero. */
    FPE(8),
    /** Kills the process. A process can't handle, block or ignore it. */
    KILL(9),
    /** The first signal whose meaning the program defines. */
    USR1(10),
    /** An invalid memory access. */
    SEGV(11),
    /** The second signal whose meaning the program defines. */
    USR2(12),
    /** A write to a pipe without a reader. */
    PIPE(13),
    /** A timer of {@code alarm(2)}. */
    ALRM(14),
    /** A request to terminate. */
    TERM(15),
    /** Unused. */
    STKFLT(16),
    /** A child has terminated, stopped or continued. Ignored by default. */
    CHLD(17),
    /** Continues a stopped process. */
    CONT(18),
    /** Stops the process. A process can't handle, block or ignore it. */
    STOP(19),
    /** The stop key of the terminal, Ctrl-Z. */
    TSTP(20),
    /** A read from the terminal by a background process. */
    TTIN(21),
    /** A write to the terminal by a background process. */
    TTOU(22),
    /** Urgent data on a socket. Ignored by default. */
    URG(23),
    /** The limit {@link Rlimit#CPU} is exceeded. */
    XCPU(24),
    /** The limit {@link Rlimit#FSIZE} is exceeded. */
    XFSZ(25),
    /** A timer of CPU time in user mode. */
    VTALRM(26),
    /** A timer of CPU time in user and kernel mode. */
    PROF(27),
    /** The terminal's size has changed. Ignored by default. */
    WINCH(28),
    /** I/O is possible on a descriptor with {@code O_ASYNC}. */
    IO(29),
    /** Power failure. */
    PWR(30),
    /** A system call that does not exist, or that a seccomp filter refuses by this signal. */
    SYS(31);

    /** The highest signal number. Real-time signals begin at 32; the C library uses 32 and 33. */
    public static final int MAX = 64;

    private static final int FIRST_REAL_TIME = 34;

    private final int number;

    Signal(int number) {
        this.number = number;
    }

    /** Returns the signal's number. */
    public int number() {
        return number;
    }

    /**
     * Returns the number of a signal: {@code TERM}, {@code SIGTERM}, {@code term} and {@code 15} are the same. A number
     * is 1 to {@value #MAX}.
     *
     * @throws IllegalArgumentException if there is no such signal
     */
    public static int number(String text) {
        String name = Objects.requireNonNull(text, "text").toUpperCase(Locale.ROOT);
        name = name.startsWith("SIG") ? name.substring(3) : name;
        for (Signal signal : values()) {
            if (signal.name().equals(name)) {
                return signal.number;
            }
        }
        return parseNumber(text);
    }

    private static int parseNumber(String text) {
        try {
            int number = Integer.parseInt(text);
            if (number >= 1 && number <= MAX) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the exception below has the message
        }
        throw new IllegalArgumentException("no signal " + text + "; a name such as TERM, or a number from 1 to " + MAX);
    }

    /** Returns the name of a signal's number, such as {@code SIGTERM} or {@code SIGRTMIN+3}. */
    public static String name(int number) {
        if (number >= 1 && number <= SYS.number) {
            return "SIG" + values()[number - 1].name();
        }
        return number == FIRST_REAL_TIME
                ? "SIGRTMIN"
                : number > FIRST_REAL_TIME ? "SIGRTMIN+" + (number - FIRST_REAL_TIME) : "signal " + number;
    }
}
