// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.Locale;
import java.util.Objects;

/** The signals of {@code signal(7)}, with the numbers that x86_64, arm64 and riscv64 share. */
public enum Signal {
    /** The terminal is gone; by custom, read the configuration again. */
    HUP(1),
    /** The interrupt key. */
    INT(2),
    /** The quit key; with a core dump. */
    QUIT(3),
    /** An instruction that does not exist. */
    ILL(4),
    /** A breakpoint. */
    TRAP(5),
    /** {@code abort(3)}. */
    ABRT(6),
    /** An access to memory that is not there, such as behind the end of a mapped file. */
    BUS(7),
    /** A wrong calculation, such as a division by zero. */
    FPE(8),
    /** The end at once; it can be neither handled nor ignored. */
    KILL(9),
    /** For the program to give a meaning. */
    USR1(10),
    /** An access to memory that is not allowed. */
    SEGV(11),
    /** For the program to give a meaning. */
    USR2(12),
    /** A write to a pipe that nobody reads. */
    PIPE(13),
    /** {@code alarm(2)}. */
    ALRM(14),
    /** A request to end. */
    TERM(15),
    /** Not used by the kernel. */
    STKFLT(16),
    /** A child has ended or stopped; ignored by default. */
    CHLD(17),
    /** A stopped process goes on. */
    CONT(18),
    /** A stop that can be neither handled nor ignored. */
    STOP(19),
    /** The stop key. */
    TSTP(20),
    /** A background process reads from its terminal. */
    TTIN(21),
    /** A background process writes to its terminal. */
    TTOU(22),
    /** Urgent data of a socket; ignored by default. */
    URG(23),
    /** The limit on processor time is reached. */
    XCPU(24),
    /** The limit on the size of a file is reached. */
    XFSZ(25),
    /** A timer of processor time in the program. */
    VTALRM(26),
    /** A timer of processor time in program and kernel. */
    PROF(27),
    /** The terminal has another size; ignored by default. */
    WINCH(28),
    /** A descriptor can be read or written. */
    IO(29),
    /** The power is failing. */
    PWR(30),
    /** A system call that does not exist, or that a seccomp filter forbids. */
    SYS(31);

    /** The highest signal number; 32 and up are the real-time signals. */
    public static final int MAX = 64;

    private static final int FIRST_REAL_TIME = 34;

    private final int number;

    Signal(int number) {
        this.number = number;
    }

    /** The number that the kernel knows it by. */
    public int number() {
        return number;
    }

    /**
     * A signal's number by name or number: {@code TERM}, {@code SIGTERM}, {@code term} and {@code 15} are the same.
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
        return checked(text);
    }

    private static int checked(String text) {
        try {
            int number = Integer.parseInt(text);
            if (number >= 1 && number <= MAX) {
                return number;
            }
        } catch (NumberFormatException e) {
            // falls through to the one message
        }
        throw new IllegalArgumentException("no signal " + text + "; a name such as TERM, or a number from 1 to " + MAX);
    }

    /** The usual name of a number: {@code SIGTERM}, {@code SIGRTMIN+3}. */
    public static String name(int number) {
        if (number >= 1 && number <= SYS.number) {
            return "SIG" + values()[number - 1].name();
        }
        return number == FIRST_REAL_TIME
                ? "SIGRTMIN"
                : number > FIRST_REAL_TIME ? "SIGRTMIN+" + (number - FIRST_REAL_TIME) : "signal " + number;
    }
}
