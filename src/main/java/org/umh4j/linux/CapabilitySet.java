// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A set of capabilities: 64 bits, immutable.
 *
 * <p>Three text forms are read and written: a list of names ({@code cap_chown,cap_kill}, {@code all}, {@code none}),
 * hexadecimal as in {@code /proc/PID/status}, and the two decimal words of {@code kernel.usermodehelper.bset}.
 *
 * @param bits one bit for each capability's number
 */
public record CapabilitySet(long bits) {
    /** No capability. */
    public static final CapabilitySet NONE = new CapabilitySet(0);

    private static final long LOW_WORD = 0xffff_ffffL;
    private static final int WORD = 32;

    /** The set of these capabilities. */
    public static CapabilitySet of(Capability... capabilities) {
        long bits = 0;
        for (int i = 0; i < Objects.requireNonNull(capabilities, "capabilities").length; i++) {
            bits |= Objects.requireNonNull(capabilities[i], "capabilities[" + i + "]")
                    .bit();
        }
        return new CapabilitySet(bits);
    }

    /** Every capability that the running kernel has. */
    public static CapabilitySet all() {
        return Capability.KERNEL;
    }

    /**
     * Reads a list of names, {@code all}, {@code none}, or hexadecimal with {@code 0x} or of 16 digits.
     *
     * <p>Names are those of {@code capabilities(7)}, in letters of any size, with or without {@code cap_}; one that
     * has no name yet is written {@code cap_41}.
     *
     * @throws IllegalArgumentException if something in it is none of these, or the running kernel lacks a capability
     */
    public static CapabilitySet parse(String text) {
        String trimmed = Objects.requireNonNull(text, "text").strip();
        if (trimmed.equalsIgnoreCase("all")) {
            return all();
        }
        if (trimmed.equalsIgnoreCase("none") || trimmed.isEmpty()) {
            return NONE;
        }
        return known(isHexadecimal(trimmed) ? hexadecimal(trimmed) : list(trimmed));
    }

    private static boolean isHexadecimal(String text) {
        return text.startsWith("0x") || text.startsWith("0X") || text.matches("[0-9a-fA-F]{16}");
    }

    private static CapabilitySet hexadecimal(String text) {
        try {
            String digits = text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text;
            if (digits.startsWith("+")) { // part of a number for Java alone
                throw new NumberFormatException(text);
            }
            return new CapabilitySet(Long.parseUnsignedLong(digits, 16));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a capability set of at most 16 hexadecimal digits: " + text, e);
        }
    }

    private static CapabilitySet list(String text) {
        long bits = 0;
        for (String name : text.split(",", -1)) {
            int number = Capability.number(name.strip());
            if (number < 0) {
                throw new IllegalArgumentException("no capability '" + name.strip() + "'; umh caps lists them");
            }
            bits |= 1L << number;
        }
        return new CapabilitySet(bits);
    }

    private static CapabilitySet known(CapabilitySet set) {
        CapabilitySet unknown = set.minus(all());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("this kernel has no " + unknown + "; its last capability is "
                    + Capability.name(WORD * 2 - 1 - Long.numberOfLeadingZeros(all().bits)));
        }
        return set;
    }

    /** Whether the capability is in the set. */
    public boolean contains(Capability capability) {
        return (bits & Objects.requireNonNull(capability, "capability").bit()) != 0;
    }

    /** Whether every capability of the other set is in this one. */
    public boolean containsAll(CapabilitySet other) {
        return (Objects.requireNonNull(other, "other").bits & ~bits) == 0;
    }

    /** Whether the set has no capability. */
    public boolean isEmpty() {
        return bits == 0;
    }

    /** How many capabilities the set has. */
    public int size() {
        return Long.bitCount(bits);
    }

    /** What is in both; the kernel's {@code cap_intersect()}. */
    public CapabilitySet intersect(CapabilitySet other) {
        long both = bits & Objects.requireNonNull(other, "other").bits;
        return both == bits ? this : new CapabilitySet(both);
    }

    /** What is in either; the kernel's {@code cap_combine()}. */
    public CapabilitySet plus(CapabilitySet other) {
        return new CapabilitySet(bits | Objects.requireNonNull(other, "other").bits);
    }

    /** What is in this one and not in the other; the kernel's {@code cap_drop()}. */
    public CapabilitySet minus(CapabilitySet other) {
        return new CapabilitySet(bits & ~Objects.requireNonNull(other, "other").bits);
    }

    /** This set and these capabilities. */
    public CapabilitySet plus(Capability... capabilities) {
        return plus(of(capabilities));
    }

    /** This set without these capabilities. */
    public CapabilitySet minus(Capability... capabilities) {
        return minus(of(capabilities));
    }

    /** The names of its capabilities in small letters, in the order of their numbers. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (int number = 0; number < Capability.LIMIT; number++) {
            if ((bits >> number & 1) != 0) {
                names.add(Capability.name(number));
            }
        }
        return names;
    }

    /** Sixteen hexadecimal digits, as in {@code /proc/PID/status}. */
    public String toHex() {
        return String.format("%016x", bits);
    }

    /** Two decimal words, the low one first, as {@code kernel.usermodehelper.bset} is read. */
    public String toSysctlText() {
        return (bits & LOW_WORD) + "\t" + (bits >>> WORD);
    }

    /** Written out: a record's own, on JDK 17, is made at the first call, and holds the class loader from then on. */
    @Override
    public boolean equals(Object other) {
        return other instanceof CapabilitySet set && set.bits == bits;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(bits);
    }

    /** The names, separated by commas; {@code all} and {@code none} where they fit. */
    @Override
    public String toString() {
        if (bits == 0) {
            return "none";
        }
        if (bits == all().bits) {
            return "all";
        }
        return String.join(",", names());
    }
}
