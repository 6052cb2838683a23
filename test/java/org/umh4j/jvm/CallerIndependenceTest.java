// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;

/** A helper has the same state whatever the JVM and the thread that start it. */
final class CallerIndependenceTest {
    /**
     * Fields that differ between any two helpers. FDSize is the largest size of the descriptor table; the flags have
     * whether privilege was used; SigQ counts the signals that are queued for all processes of the user.
     */
    private static final List<String> OWN = List.of(
            "status.FDSize",
            "stat.flags_hex",
            "status.SigQ",
            "argv",
            "cmdline",
            "exe",
            "pid",
            "ppid",
            "pgrp",
            "sid",
            "stat.ppid",
            "stat.pgrp",
            "stat.session",
            "status.Pid",
            "status.PPid",
            "status.Tgid",
            "status.NSpid",
            "status.NStgid",
            "status.NSpgid",
            "status.NSsid",
            "status.voluntary_ctxt_switches",
            "status.nonvoluntary_ctxt_switches",
            "keyrings.session.id",
            "auxv.AT_EXECFN");

    @Test
    @RequiresRoot
    void unusualJvmAndThreadStartTheSameHelper() throws IOException, InterruptedException {
        Report plain = Report.parse(new Jvm().run(ReportMain.class).requireSuccess());
        Path directory = Files.createTempDirectory("odd");
        String[] lines =
                oddJvm(directory).run(OddThreadMain.class).requireSuccess().split("\n", 2);
        Files.delete(directory);
        assertOdd(lines[0], plain);
        assertEquals(Map.of(), differences(plain, Report.parse(lines[1])));
    }

    /** All of these are handed down by fork and execve. */
    private static Jvm oddJvm(Path directory) {
        return new Jvm()
                .under(
                        ProbeProgram.path(),
                        "ignore",
                        "1",
                        "ignore",
                        "13",
                        "ignore",
                        "17",
                        "ignore",
                        "40",
                        "block",
                        "10",
                        "block",
                        "15",
                        "umask",
                        "63",
                        "chdir",
                        directory.toString(),
                        "nice",
                        "5",
                        "ioprio",
                        "24576",
                        "cpu",
                        "0",
                        "slack",
                        "123456",
                        "personality",
                        "262144",
                        "thp",
                        "keyring",
                        "odd",
                        "write",
                        "/proc/self/oom_score_adj",
                        "500",
                        "write",
                        "/proc/self/coredump_filter",
                        "0x7",
                        "rlimit",
                        "1",
                        "1073741824",
                        "-1",
                        "rlimit",
                        "3",
                        "2097152",
                        "-1",
                        "rlimit",
                        "4",
                        "4096",
                        "-1",
                        "rlimit",
                        "10",
                        "77",
                        "-1",
                        "descriptors",
                        "500",
                        "exec",
                        "/usr/bin/env",
                        "env")
                .variable("ODD=1");
    }

    /** The odd JVM's own report, by a child that inherits everything, must not look like the plain helper's. */
    private static void assertOdd(String json, Report plain) throws IOException {
        Report odd = Report.parse(json);
        for (String field : List.of(
                "status.SigIgn",
                "status.Umask",
                "cwd",
                "nice",
                "ioprio",
                "cpu_affinity",
                "timerslack_ns",
                "personality",
                "thp_disable",
                "oom_score_adj",
                "coredump_filter",
                "rlimits.FSIZE",
                "rlimits.STACK",
                "rlimits.CORE",
                "rlimits.LOCKS",
                "sched_policy",
                "keyrings.session.describe_by_spec")) {
            assertNotEquals(plain.get(field), odd.get(field), field + " was not odd");
        }
        assertNotEquals(0, odd.get("fds").size());
    }

    private static Map<String, String> differences(Report plain, Report odd) {
        Map<String, String> differences = new TreeMap<>();
        Map<String, String> other = odd.flat();
        plain.flat().forEach((field, value) -> {
            if (OWN.stream().noneMatch(own -> field.equals(own) || field.startsWith(own + "."))
                    && !value.equals(other.get(field))) {
                differences.put(field, value + " plain, " + other.get(field) + " odd");
            }
        });
        return differences;
    }

    /** Prints what a helper reports. */
    static final class ReportMain {
        public static void main(String[] arguments) {
            System.out.println(ProbeProgram.report());
        }
    }

    /** Makes its own thread odd too, prints what a plain child inherits, and what a helper reports. */
    static final class OddThreadMain {
        private static final long O_CLOEXEC = 02000000;

        public static void main(String[] arguments) throws Exception {
            String thread = Files.readSymbolicLink(Path.of("/proc/thread-self"))
                    .getFileName()
                    .toString();
            run("chrt", "-b", "-p", "0", thread);
            run("renice", "-n", "7", "-p", thread);
            run("taskset", "-p", "1", thread);
            Path out = Files.createTempFile("inherited", ".json");
            run(ProbeProgram.path(), "--out", out.toString());
            System.out.println(Files.readString(out));
            Files.delete(out);
            assertTrue(keptByExec() >= 500, "too few descriptors that an execve keeps");
            assertTrue(blocksSignals(), "this thread blocks none"); // JDK 25 unblocks them for its own children
            System.out.println(ProbeProgram.report());
        }

        private static boolean blocksSignals() throws IOException {
            return Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                    .anyMatch(line -> line.startsWith("SigBlk:") && !line.endsWith("0000000000000000"));
        }

        /** How many descriptors have no close-on-exec. */
        private static int keptByExec() throws IOException {
            int kept = 0;
            for (String fd : new File("/proc/self/fd").list()) {
                Path info = Path.of("/proc/self/fdinfo", fd);
                if (Files.exists(info)) { // the listing's own is closed by now
                    String flags = Files.readString(info).replaceAll("(?s).*flags:\\s+(\\d+).*", "$1");
                    kept += (Long.parseLong(flags, 8) & O_CLOEXEC) == 0 ? 1 : 0;
                }
            }
            return kept;
        }

        private static void run(String... command) throws IOException, InterruptedException {
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            if (process.waitFor() != 0) {
                throw new IOException(List.of(command) + " ended with " + process.exitValue());
            }
        }
    }
}
