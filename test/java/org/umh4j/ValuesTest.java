// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;

/** The small types; where there is another source for the same facts, against that. */
final class ValuesTest {
    @Test
    void capabilitiesAreThoseOfTheHeader() throws Exception {
        Map<String, Integer> header = defines("/usr/include/linux/capability.h", "(CAP_[A-Z_]+)\\s+(\\d+)");
        header.remove("CAP_LAST_CAP");
        Map<String, Integer> ours = new HashMap<>();
        for (Capability capability : Capability.values()) {
            ours.put(capability.name(), capability.number());
        }
        assertEquals(new TreeMap<>(header), new TreeMap<>(ours));
    }

    @Test
    void errnosAreThoseOfTheHeaders() throws Exception {
        Map<String, Integer> header = defines("/usr/include/asm-generic/errno-base.h", "(E[A-Z0-9]+)\\s+(\\d+)");
        header.putAll(defines("/usr/include/asm-generic/errno.h", "(E[A-Z0-9]+)\\s+(\\d+)"));
        Map<String, Integer> ours = new HashMap<>();
        for (Errno errno : Errno.values()) {
            ours.put(errno.name(), errno.number());
            assertEquals(errno, Errno.of(errno.number()));
        }
        assertEquals(new TreeMap<>(header), new TreeMap<>(ours));
        assertEquals("errno 4711", Errno.name(4711));
    }

    @Test
    void signalsAreThoseOfTheHeader() throws Exception {
        Map<String, Integer> header = defines("/usr/include/asm-generic/signal.h", "SIG([A-Z0-9]+)\\s+(\\d+)");
        for (Signal signal : Signal.values()) {
            assertEquals(header.get(signal.name()), signal.number(), signal.name());
        }
        assertEquals("SIGRTMIN+3", Signal.name(37));
    }

    private static Map<String, Integer> defines(String file, String form) throws Exception {
        Map<String, Integer> values = new HashMap<>();
        Matcher matcher =
                Pattern.compile("#\\s*define\\s+" + form).matcher(java.nio.file.Files.readString(Path.of(file)));
        while (matcher.find()) {
            values.put(matcher.group(1), Integer.parseInt(matcher.group(2)));
        }
        return values;
    }

    @ParameterizedTest
    @CsvSource({"TERM, 15", "SIGTERM, 15", "term, 15", "15, 15", "64, 64", "sigkill, 9"})
    void signalsAreReadByNameAndNumber(String text, int number) {
        assertEquals(number, Signal.number(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "65", "-1", "NOPE", "SIGSIGTERM", "9999999999"})
    void whatIsNoSignalIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> Signal.number(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none | 0000000000000000",
                "cap_chown | 0000000000000001",
                "CHOWN,Cap_Kill | 0000000000000021",
                "cap_bpf , cap_chown | 0000008000000001",
                "0x21 | 0000000000000021",
                "0000008000000001 | 0000008000000001",
                "cap_5 | 0000000000000020",
            })
    void capabilitySetsAreReadInAllForms(String text, String hex) {
        CapabilitySet set = CapabilitySet.parse(text);
        assertEquals(hex, set.toHex());
        assertEquals(set, CapabilitySet.parse(set.toString()));
        assertEquals(set, CapabilitySet.parse(set.toHex()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cap_nope", "cap_chown,", ",", "0x", "0xg", "cap_63", "cap_64", "0xffffffffffffffff", "-1"})
    void whatIsNoCapabilitySetIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> CapabilitySet.parse(text));
    }

    @Test
    void allIsWhatTheKernelHas() throws Exception {
        int last = Integer.parseInt(org.umh4j.internal.ProcFile.read("/proc/sys/kernel/cap_last_cap"));
        assertEquals(last + 1, CapabilitySet.all().size());
        assertEquals("all", CapabilitySet.all().toString());
        assertEquals(CapabilitySet.all(), CapabilitySet.parse("ALL"));
    }

    @Test
    void setArithmeticIsTheKernels() {
        CapabilitySet two = CapabilitySet.of(Capability.CAP_CHOWN, Capability.CAP_BPF);
        assertEquals("1\t128", two.toSysctlText());
        assertTrue(two.contains(Capability.CAP_BPF));
        assertEquals(CapabilitySet.of(Capability.CAP_CHOWN), two.minus(Capability.CAP_BPF));
        assertEquals(two, two.minus(Capability.CAP_BPF).plus(Capability.CAP_BPF));
        assertTrue(two.intersect(CapabilitySet.of(Capability.CAP_KILL)).isEmpty());
        assertTrue(CapabilitySet.all().containsAll(two));
        assertFalse(two.containsAll(CapabilitySet.all()));
    }

    @Test
    void statusSeparatesExitSignalCoreAndLost() {
        assertEquals("exit code 137", new WaitStatus(137 << 8).toString());
        assertEquals("killed by SIGKILL", new WaitStatus(9).toString());
        assertEquals("killed by SIGSEGV (core dumped)", new WaitStatus(11 | 128).toString());
        assertEquals("status lost", WaitStatus.LOST.toString());
        assertFalse(WaitStatus.LOST.exited() || WaitStatus.LOST.signaled() || WaitStatus.LOST.success());
        assertTrue(new WaitStatus(0).success());
        assertTrue(new WaitStatus(11 | 128).coreDumped());
    }

    @Test
    void waitFlagsAreTheKernels() {
        assertEquals(0, UmhWait.NO_WAIT.flags());
        assertEquals(1, UmhWait.EXEC.flags());
        assertEquals(2, UmhWait.PROC.flags());
        assertEquals(6, UmhWait.PROC.killable().flags());
        assertEquals(14, UmhWait.PROC.killable().freezable().flags());
        assertEquals("UMH_WAIT_PROC|UMH_KILLABLE|UMH_FREEZABLE", new UmhWait(14).toString());
    }

    @Test
    @org.umh4j.support.RequiresRoot
    void policyOnlyNarrowsAndTheTextAsksForPrivilege() throws Exception {
        String out = new org.umh4j.support.Jvm().run(PolicyMain.class).requireSuccess();
        assertEquals("true true true -22 true\n", out);
    }

    /** Narrows the policy of a JVM of its own. */
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
    @org.umh4j.support.RequiresRoot
    void writingTheTextWithoutPrivilegeIsEpermBeforeParsing() throws Exception {
        String out = new org.umh4j.support.Jvm()
                .under("capsh", "--drop=cap_sys_module", "--", "-c", "exec \"$0\" \"$@\"")
                .run(UnprivilegedWriteMain.class)
                .requireSuccess();
        assertEquals("-1 -1 -1\n", out);
    }

    /** Writes what is right, what is garbage, and nothing. */
    static final class UnprivilegedWriteMain {
        public static void main(String[] arguments) {
            System.out.println(UmhSysctl.writeBset("0 0\n") + " " + UmhSysctl.writeInheritable("garbage") + " "
                    + UmhSysctl.writeBset(""));
        }
    }
}
