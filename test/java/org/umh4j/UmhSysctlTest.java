// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;

/** Policy by the two bounding texts: it only narrows, and writing takes CAP_SYS_MODULE. */
final class UmhSysctlTest {
    @Test
    @RequiresRoot
    void policyOnlyNarrows() throws Exception {
        String out = new Jvm().run(PolicyMain.class).requireSuccess();
        assertEquals("true true true -22 true\n", out);
    }

    /** Narrows the policy of a new JVM. */
    static final class PolicyMain {
        public static void main(String[] arguments) {
            CapabilitySet two = CapabilitySet.of(Capability.CAP_CHOWN, Capability.CAP_KILL);
            boolean narrowed = UmhSysctl.narrowBset(two).equals(two);
            boolean stays = UmhSysctl.narrowBset(CapabilitySet.all()).equals(two);
            boolean other = UmhSysctl.narrowInheritable(CapabilitySet.NONE).isEmpty();
            int garbage = UmhSysctl.writeBset("garbage");
            System.out.println(narrowed + " " + stays + " " + other + " " + garbage + " "
                    + UmhSysctl.bset().equals(two));
        }
    }

    @Test
    @RequiresRoot
    void writeWithoutPrivilegeFailsWithEpermBeforeParsing() throws Exception {
        String out = new Jvm()
                .under("capsh", "--drop=cap_sys_module", "--", "-c", "exec \"$0\" \"$@\"")
                .run(UnprivilegedWriteMain.class)
                .requireSuccess();
        assertEquals("-1 -1 -1\n", out);
    }

    /** Writes a valid text, garbage and an empty text. */
    static final class UnprivilegedWriteMain {
        public static void main(String[] arguments) {
            System.out.println(UmhSysctl.writeBset("0 0\n") + " " + UmhSysctl.writeInheritable("garbage") + " "
                    + UmhSysctl.writeBset(""));
        }
    }
}
