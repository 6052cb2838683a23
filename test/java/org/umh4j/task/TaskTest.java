// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.CredInit;
import org.umh4j.Helper;
import org.umh4j.JvmPrivileges;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhSysctl;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;

/**
 * The initial state of a helper, compared with the host and the JVM. ConformanceTest compares it with the kernel's.
 */
@ExtendWith(Leaks.class)
final class TaskTest {
    private static final String V612 = "6.12.117+deb12-cloud-amd64";

    @Test
    @RequiresRoot
    void capabilitiesAreTheBoundingSetLimitedByBset() throws IOException {
        Report helper = ProbeProgram.report();
        long expected = statusOfJvm("CapBnd") & UmhSysctl.bset().bits();
        assertEquals(Long.toHexString(expected), Long.toHexString(helper.hex("status.CapBnd")));
        assertEquals(Long.toHexString(expected), Long.toHexString(helper.hex("status.CapPrm")));
        assertEquals(Long.toHexString(expected), Long.toHexString(helper.hex("status.CapEff")));
        assertEquals(0, helper.hex("status.CapInh"));
        assertEquals(0, helper.hex("status.CapAmb"));
    }

    @Test
    void identityIsThatOfTheJvm() throws IOException {
        Report helper = ProbeProgram.report();
        assertEquals(statusLine("Uid"), helper.text("status.Uid"));
        assertEquals(statusLine("Gid"), helper.text("status.Gid"));
        assertEquals(statusLine("Groups").trim(), helper.text("status.Groups"));
    }

    @Test
    void sessionAndGroupAreNewWithoutTerminal() {
        Report helper = ProbeProgram.report();
        assertEquals(helper.number("pid"), helper.number("sid"));
        assertEquals(helper.number("pid"), helper.number("pgrp"));
        assertEquals(0, helper.number("stat.tty_nr"));
        assertEquals("-ENXIO", helper.text("open_dev_tty"));
    }

    @Test
    void sessionKeyringIsNewAndEmpty() {
        Report one = ProbeProgram.report();
        Report other = ProbeProgram.report();
        assertEquals(0, one.number("keyrings.session_size"));
        assertTrue(one.number("keyrings.session.id") != other.number("keyrings.session.id"));
        assertTrue(one.number("keyrings.session.id") != one.number("keyrings.user_session.id"));
    }

    @Test
    @RequiresRoot
    void limitsEqualThoseOfKthreadd() throws IOException {
        Need.KTHREADD.orSkip();
        Report helper = ProbeProgram.report();
        Map<String, String> names = Map.of(
                "Max processes", "NPROC",
                "Max pending signals", "SIGPENDING",
                "Max open files", "NOFILE",
                "Max locked memory", "MEMLOCK",
                "Max stack size", "STACK",
                "Max core file size", "CORE");
        for (String line : Files.readAllLines(Path.of("/proc/2/limits"))) {
            String[] columns = line.split("\\s{2,}");
            if (names.containsKey(columns[0])) {
                JsonNode limit = helper.get("rlimits." + names.get(columns[0]));
                assertEquals(limit(columns[1]), limit.get(0).asText(), columns[0]);
                assertEquals(limit(columns[2]), limit.get(1).asText(), columns[0]);
            }
        }
    }

    @Test
    @RequiresRoot
    void withoutProcMemoryLimitsStayThoseOfTheJvm() throws IOException, InterruptedException {
        String out = new Jvm()
                .withoutProc()
                .under("prlimit", "--nproc=1234", "--sigpending=987")
                .run(ReportMain.class)
                .requireSuccess();
        Report helper = Report.parse(out);
        assertEquals("[1234,1234]", helper.get("rlimits.NPROC").toString());
        assertEquals("[987,987]", helper.get("rlimits.SIGPENDING").toString());
    }

    /** Prints what a helper reports. */
    static final class ReportMain {
        public static void main(String[] arguments) {
            System.out.println(ProbeProgram.report());
        }
    }

    private static String limit(String text) {
        return text.equals("unlimited") ? "inf" : text;
    }

    @Test
    void eachAllowedCpuMayBeUsed() throws IOException {
        Report helper = ProbeProgram.report();
        assertEquals(statusLine("Cpus_allowed_list"), helper.text("status.Cpus_allowed_list"));
    }

    @Test
    void environmentIsExactlyWhatWasPassed() {
        assertEquals("[]", ProbeProgram.report(new String[0]).get("envp").toString());
        assertEquals(
                "[\"B=2\",\"A=1\",\"A=1\",\"odd\"]",
                ProbeProgram.report("B=2", "A=1", "A=1", "odd").get("envp").toString());
    }

    @Test
    void execFilenameIsThePath() {
        assertEquals(ProbeProgram.path(), ProbeProgram.report().text("auxv.AT_EXECFN"));
        assertEquals(0, ProbeProgram.report().number("auxv.AT_SECURE"));
    }

    @Test
    @RequiresRoot
    void eachStepIsAppliedOnAnOrdinaryHost() throws UmhException {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "0"))) {
            assertEquals(java.util.Set.of(), helper.unapplied());
        }
    }

    @Test
    @RequiresRoot
    void narrowedPolicyEqualsThatOfTheKernel() throws IOException, InterruptedException {
        // The policy never widens again, so another JVM narrows it.
        String out = new Jvm().run(NarrowedMain.class).requireSuccess();
        Report helper = Report.parse(out);
        long recorded = Long.parseUnsignedLong(
                Report.expected("conformance/born-state-" + V612 + ".json")
                        .at("/records/bset_few.modprobe/record/status/CapBnd")
                        .asText(),
                16);
        long expected = recorded & statusOfJvm("CapBnd");
        for (String set : List.of("CapBnd", "CapPrm", "CapEff")) {
            assertEquals(Long.toHexString(expected), Long.toHexString(helper.hex("status." + set)), set);
        }
        assertEquals(0, helper.hex("status.CapInh"));
    }

    /** Narrows the policy as the recording did, and prints a helper's report. */
    static final class NarrowedMain {
        public static void main(String[] arguments) {
            if (UmhSysctl.writeBset("2162721 128\n") < 0) {
                throw new IllegalStateException("not written");
            }
            System.out.println(ProbeProgram.report());
        }
    }

    /** A task that opens no file keeps its plan, which is valid only for the same credentials. */
    @Test
    @RequiresRoot
    void reusedTaskFollowsInitAndPolicy() throws Exception {
        assertEquals(
                "all: 0\ninit: 0\nall: 0\npolicy: 0\n",
                new Jvm().run(ReusedTaskMain.class).requireSuccess());
    }

    /** Starts the same task each time, with another bounding set expected. */
    static final class ReusedTaskMain {
        private static final Task TASK = Task.defaults().fs(Fs.defaults().umask(077));
        private static final CapabilitySet FEW = CapabilitySet.of(Capability.CAP_KILL, Capability.CAP_CHOWN);

        public static void main(String[] arguments) {
            CapabilitySet all = JvmPrivileges.bounding().intersect(UmhSysctl.bset());
            System.out.println("all: " + run(null, all));
            System.out.println("init: " + run((info, cred) -> cred.bounding(FEW), FEW));
            System.out.println("all: " + run(null, all));
            UmhSysctl.narrowBset(all.minus(FEW));
            System.out.println("policy: " + run(null, all.minus(FEW)));
        }

        private static int run(CredInit init, CapabilitySet expected) {
            String[] grep = {"grep", "-q", "CapBnd:.*" + expected.toHex(), "/proc/self/status"};
            return UsermodeHelper.exec(
                    SubprocessInfo.of("/bin/grep", grep, null).task(TASK).init(init), UmhWait.PROC);
        }
    }

    private static String statusLine(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(name + ":")) {
                return line.substring(name.length() + 1).trim();
            }
        }
        throw new IOException("no " + name);
    }

    private static long statusOfJvm(String name) throws IOException {
        return Long.parseUnsignedLong(statusLine(name), 16);
    }
}
