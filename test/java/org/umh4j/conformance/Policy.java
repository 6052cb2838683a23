// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import org.umh4j.UmhSysctl;
import org.umh4j.linux.CapabilitySet;

/** The text written to the policy files before a helper was started. A policy never widens, so a JVM has only one. */
public enum Policy {
    FULL("", ""),
    FEW("2162721 128\n", ""),
    NONE("0 0\n", ""),
    INHERITABLE_NONE("", "0 0\n"),
    FEW_INHERITABLE_NONE("2162721 128\n", "0 0\n");

    private final String bset;
    private final String inheritable;

    Policy(String bset, String inheritable) {
        this.bset = bset;
        this.inheritable = inheritable;
    }

    /** The policy of a recorded scenario, by its name. */
    static Policy of(String scenario) {
        if (scenario.contains("bset_few_inh0")) {
            return FEW_INHERITABLE_NONE;
        }
        if (scenario.contains("bset_few")) {
            return FEW;
        }
        if (scenario.contains("bset0")) {
            return NONE;
        }
        return scenario.contains("inh0") ? INHERITABLE_NONE : FULL;
    }

    public String bset() {
        return bset;
    }

    public String inheritable() {
        return inheritable;
    }

    /** Applies it for the rest of this JVM's life. */
    public void apply() {
        if (!bset.isEmpty()) {
            require(UmhSysctl.writeBset(bset), bset);
        }
        if (!inheritable.isEmpty()) {
            require(UmhSysctl.writeInheritable(inheritable), inheritable);
        }
    }

    private static void require(int result, String text) {
        if (result != text.length()) {
            throw new IllegalStateException("the write of " + text.trim() + " returned " + result);
        }
    }

    /** The capabilities of a set that the policy leaves. */
    CapabilitySet of(CapabilitySet set) {
        return bset.isEmpty() ? set : set.intersect(new CapabilitySet(words(bset)));
    }

    private static long words(String text) {
        String[] both = text.trim().split(" ");
        return Long.parseLong(both[1]) << 32 | Long.parseLong(both[0]);
    }
}
