// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.umh4j.cli.Main;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.support.Jvm;

/**
 * Something that a machine may forbid: a file below {@code /proc/sys} and its value, or words for the probe to do
 * before the JVM. A JVM under it starts a helper, which is compared with the kernel's, and is asked what umh doctor says.
 */
record GuestLimit(
        String name, String sysctl, String value, List<String> words, List<String> options, List<String> variables) {
    private static final String NEW_MOUNTS = "131072";
    private static final String NOEXEC = "8";
    private static final String READ_ONLY_REMOUNT = "4129";

    static final List<GuestLimit> ALL = List.of(
            doing("nothing forbidden, CAP_SYS_RESOURCE present"),
            doing("without CAP_SYS_RESOURCE", "rlimit", "7", "900", "900", "drop", "24"),
            setting("fs/suid_dumpable", "0"),
            setting("fs/suid_dumpable", "1"),
            setting("fs/suid_dumpable", "2"),
            setting("vm/overcommit_memory", "2"),
            setting("kernel/yama/ptrace_scope", "3"),
            doing("/proc with hidepid=2, as uid 65534",
                    "unshare", NEW_MOUNTS, "mount", "proc", "/proc", "32", "hidepid=2", "setuid", "65534"),
            // Without /proc the dynamic linker can't tell where a program is, beside which the JVM's libraries are.
            doing("no /proc", "unshare", NEW_MOUNTS, "umount", "/proc").withVariable("LD_LIBRARY_PATH=/jre/lib"),
            doing("no cgroup v2", "unshare", NEW_MOUNTS, "umount", "/sys/fs/cgroup"),
            doing("a root that can't be written to",
                    "unshare", NEW_MOUNTS, "mount", "none", "/", READ_ONLY_REMOUNT, "",
                    "mount", "tmpfs", "/probe.reports", "0", ""),
            doing("/tmp mounted noexec", "unshare", NEW_MOUNTS, "mount", "tmpfs", "/tmp", NOEXEC, ""),
            doing("/tmp, /run, /dev/shm, /var/tmp, /root mounted noexec",
                    "unshare", NEW_MOUNTS, "mount", "tmpfs", "/tmp", NOEXEC, "", "mount", "tmpfs", "/run", NOEXEC, "",
                    "mount", "tmpfs", "/dev/shm", NOEXEC, "", "mount", "tmpfs", "/var/tmp", NOEXEC, "",
                    "mount", "tmpfs", "/root", NOEXEC, ""),
            setting("vm/memfd_noexec", "0"),
            setting("vm/memfd_noexec", "1"),
            setting("vm/memfd_noexec", "2"),
            setting("vm/memfd_noexec", "2").withOption("-D" + NativeLibrary.LAUNCHER_PROPERTY + "=/launcher"));

    private static GuestLimit setting(String file, String value) {
        return new GuestLimit(file.replace('/', '.') + " = " + value, "/proc/sys/" + file, value, List.of(), List.of(), List.of());
    }

    private static GuestLimit doing(String name, String... words) {
        return new GuestLimit(name, "", "", List.of(words), List.of(), List.of());
    }

    private GuestLimit withOption(String option) {
        return new GuestLimit(name + ", the launcher's file named", sysctl, value, words, List.of(option), variables);
    }

    private GuestLimit withVariable(String variable) {
        return new GuestLimit(name, sysctl, value, words, options, List.of(variable));
    }

    /** A row: the limit, what became of a helper, what the doctor says. */
    String examine(Path records) throws IOException, InterruptedException {
        if (!sysctl.isEmpty() && !Files.exists(Path.of(sysctl))) {
            return name + " | not in this kernel | |";
        }
        String before = sysctl.isEmpty() ? "" : GuestKernel.read(Path.of(sysctl));
        if (!sysctl.isEmpty() && GuestKernel.writeAnswer(Path.of(sysctl), value) < 0) {
            return name + " | not to be set here | |";
        }
        try {
            Jvm.Outcome outcome = jvm().run(UnderLimit.class, records.toString());
            String helper = helper(outcome.out());
            // What could not be loaded once is not tried again by the same JVM, which then has less to say.
            Jvm.Outcome doctor = helper.startsWith(UnderLimit.REFUSED) ? jvm().run(Main.class, "doctor") : outcome;
            return name + " | " + helper + " | " + doctor(doctor) + " |";
        } finally {
            if (!sysctl.isEmpty()) {
                GuestKernel.writeAnswer(Path.of(sysctl), before);
            }
        }
    }

    private Jvm jvm() {
        Jvm jvm = Guest.quick(new Jvm()).option(options.toArray(String[]::new));
        variables.forEach(jvm::variable);
        if (words.isEmpty()) {
            return jvm;
        }
        List<String> command = new ArrayList<>(List.of("/tool"));
        command.addAll(words);
        command.addAll(List.of("exec", "/bin/env", "env"));
        return jvm.under(command.toArray(String[]::new));
    }

    private static String helper(String out) throws IOException {
        String refusal = said(out, UnderLimit.REFUSED + ".*");
        if (!refusal.isEmpty()) {
            return refusal;
        }
        List<InSetting.Line> lines = InSetting.parse(said(out, "\\{.*"));
        if (lines.isEmpty()) {
            return "the JVM does not start";
        }
        String failures = lines.stream()
                .map(InSetting.Line::field)
                .filter(field -> field.verdict() == FieldComparison.Verdict.FAILURE && !isUnseen(field))
                .map(field -> "`" + field.name() + "` is " + field.here() + ", not " + field.there())
                .collect(Collectors.joining(", "));
        String blind = lines.stream().anyMatch(line -> isUnseen(line.field())) ? ", as far as it can see without /proc" : "";
        return (failures.isEmpty() ? "as the kernel's" : failures) + blind;
    }

    /** Whether the helper could not look at a field that the kernel's has, or at a file in /proc. */
    private static boolean isUnseen(FieldComparison.Field field) {
        return field.verdict() == FieldComparison.Verdict.FAILURE
                && (field.here() == null || field.here().equals("{}") || field.here().equals("\"-ENOENT\""));
    }

    /** What it finds limited or missing. */
    private static String doctor(Jvm.Outcome outcome) {
        String found = said(outcome.out(), "(LIMITED|MISSING) .*");
        String words = found.replaceAll("(?m)^(LIMITED|MISSING) +", "").replaceAll(" +", " ").replace("\n", "; ");
        return found.isEmpty() ? outcome.err().isEmpty() ? "nothing" : outcome.err() : words;
    }

    /** The lines of that shape. */
    private static String said(String out, String shape) {
        return out.lines().filter(line -> line.matches(shape)).collect(Collectors.joining("\n"));
    }
}
