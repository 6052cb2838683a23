// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Locale;

/** The signals of {@code signal(7)}, with the numbers that x86_64, arm64 and riscv64 share. */
public enum Signal {
    HUP(1),
    INT(2),
    QUIT(3),
    ILL(4),
    TRAP(5),
    ABRT(6),
    BUS(7),
    FPE(8),
    KILL(9),
    USR1(10),
    SEGV(11),
    USR2(12),
    PIPE(13),
    ALRM(14),
    TERM(15),
    STKFLT(16),
    CHLD(17),
    CONT(18),
    STOP(19),
    TSTP(20),
    TTIN(21),
    TTOU(22),
    URG(23),
    XCPU(24),
    XFSZ(25),
    VTALRM(26),
    PROF(27),
    WINCH(28),
    IO(29),
    PWR(30),
    SYS(31);

    /** The highest signal number; 32 and up are the real-time signals. */
    public static final int LARGEST = 64;

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
        String name = text.toUpperCase(Locale.ROOT);
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
            if (number >= 1 && number <= LARGEST) {
                return number;
            }
        } catch (NumberFormatException e) {
            // falls through to the one message
        }
        throw new IllegalArgumentException("no signal " + text + "; a name such as TERM, or a number from 1 to " + LARGEST);
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
