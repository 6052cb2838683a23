// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An immutable set of capabilities: {@code kernel_cap_t}, 64 bits.
 *
 * <p>{@link #toString} writes a list of names, such as {@code cap_chown,cap_kill}. {@link #toHex} writes 16 hexadecimal
 * digits, as in {@code /proc/PID/status}. {@link #parse} reads both. {@link #toSysctlText} writes the two decimal words
 * of {@code kernel.usermodehelper.bset}.
 *
 * @param bits the set; bit N is the capability with the number N
 */
public record CapabilitySet(long bits) {
    /** The empty set. */
    public static final CapabilitySet NONE = new CapabilitySet(0);

    private static final CapabilitySet KERNEL = new CapabilitySet(-1L >>> (Long.SIZE - 1 - Capability.lastOfKernel()));

    private static final long LOW_WORD = 0xffff_ffffL;
    private static final int WORD = 32;

    /** Returns the set of these capabilities. */
    public static CapabilitySet of(Capability... capabilities) {
        long bits = 0;
        for (int i = 0; i < Objects.requireNonNull(capabilities, "capabilities").length; i++) {
            bits |= Objects.requireNonNull(capabilities[i], "capabilities[" + i + "]")
                    .bit();
        }
        return new CapabilitySet(bits);
    }

    /** Returns every capability of the running kernel. Without {@code /proc}: every constant of {@link Capability}. */
    public static CapabilitySet all() {
        return KERNEL;
    }

    /**
     * Reads a list of names separated by commas, {@code all}, {@code none}, or a hexadecimal number. The number has the
     * prefix {@code 0x}, or exactly 16 digits.
     *
     * <p>Names are those of {@code capabilities(7)}. Case and the prefix {@code cap_} do not matter. A capability
     * without a name is written as {@code cap_41} or {@code 41}. An empty text is the empty set.
     *
     * @throws IllegalArgumentException if the text has another form, or the running kernel lacks a capability
     */
    public static CapabilitySet parse(String text) {
        String trimmed = Objects.requireNonNull(text, "text").strip();
        if (trimmed.equalsIgnoreCase("all")) {
            return all();
        }
        if (trimmed.equalsIgnoreCase("none") || trimmed.isEmpty()) {
            return NONE;
        }
        return requireKnown(isHexadecimal(trimmed) ? parseHexadecimal(trimmed) : parseNames(trimmed));
    }

    private static boolean isHexadecimal(String text) {
        return text.startsWith("0x") || text.startsWith("0X") || text.matches("[0-9a-fA-F]{16}");
    }

    private static CapabilitySet parseHexadecimal(String text) {
        try {
            String digits = text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text;
            if (digits.startsWith("+")) { // parseUnsignedLong accepts a sign
                throw new NumberFormatException(text);
            }
            return new CapabilitySet(Long.parseUnsignedLong(digits, 16));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a capability set of at most 16 hexadecimal digits: " + text, e);
        }
    }

    private static CapabilitySet parseNames(String text) {
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

    private static CapabilitySet requireKnown(CapabilitySet set) {
        CapabilitySet unknown = set.minus(all());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("this kernel has no " + unknown + "; its last capability is "
                    + Capability.name(WORD * 2 - 1 - Long.numberOfLeadingZeros(all().bits)));
        }
        return set;
    }

    /** Returns whether the capability is in the set. */
    public boolean contains(Capability capability) {
        return (bits & Objects.requireNonNull(capability, "capability").bit()) != 0;
    }

    /** Returns whether every capability of the other set is in this set. */
    public boolean containsAll(CapabilitySet other) {
        return (Objects.requireNonNull(other, "other").bits & ~bits) == 0;
    }

    /** Returns whether the set has no capability. */
    public boolean isEmpty() {
        return bits == 0;
    }

    /** Returns the number of capabilities in the set. */
    public int size() {
        return Long.bitCount(bits);
    }

    /** Returns the capabilities that are in both sets, as the kernel's {@code cap_intersect()}. */
    public CapabilitySet intersect(CapabilitySet other) {
        long both = bits & Objects.requireNonNull(other, "other").bits;
        return both == bits ? this : new CapabilitySet(both);
    }

    /** Returns the capabilities that are in one of the sets, as the kernel's {@code cap_combine()}. */
    public CapabilitySet plus(CapabilitySet other) {
        return new CapabilitySet(bits | Objects.requireNonNull(other, "other").bits);
    }

    /** Returns the capabilities of this set that are not in the other, as the kernel's {@code cap_drop()}. */
    public CapabilitySet minus(CapabilitySet other) {
        return new CapabilitySet(bits & ~Objects.requireNonNull(other, "other").bits);
    }

    /** Returns this set with these capabilities added. */
    public CapabilitySet plus(Capability... capabilities) {
        return plus(of(capabilities));
    }

    /** Returns this set without these capabilities. */
    public CapabilitySet minus(Capability... capabilities) {
        return minus(of(capabilities));
    }

    /** Returns the lower-case names of the capabilities, in the order of their numbers. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (int number = 0; number < Capability.LIMIT; number++) {
            if ((bits >> number & 1) != 0) {
                names.add(Capability.name(number));
            }
        }
        return names;
    }

    /** Returns 16 hexadecimal digits, as in {@code /proc/PID/status}. */
    public String toHex() {
        return String.format("%016x", bits);
    }

    /**
     * Returns the text of {@code kernel.usermodehelper.bset}: two decimal words of 32 bits, the low one first,
     * separated by a tab.
     */
    public String toSysctlText() {
        return (bits & LOW_WORD) + "\t" + (bits >>> WORD);
    }

    /**
     * Returns whether the other object is a set of the same capabilities.
     *
     * @implNote Not the method that a record has by default. JDK 17 creates that one at the first call, and it then
     *     keeps the class loader from being unloaded.
     */
    @Override
    public boolean equals(Object other) {
        return other instanceof CapabilitySet set && set.bits == bits;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(bits);
    }

    /** Returns the names separated by commas, {@code all} for every capability of the kernel, or {@code none}. */
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
