// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.umh4j.cli.Main;
import org.umh4j.conformance.FieldComparison.Field;
import org.umh4j.conformance.FieldComparison.Verdict;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.support.Jvm;

/**
 * A restriction that a host may have: a file below {@code /proc/sys} and its value, or commands that the probe runs
 * before the JVM. A JVM under it starts a helper, which is compared with the kernel's, and runs umh doctor.
 *
 * @param finds the subjects that umh doctor must find limited or missing; a missing one forbids all helpers
 */
record GuestLimit(
        String name,
        String sysctl,
        String value,
        List<String> words,
        List<String> options,
        List<String> variables,
        Set<String> finds) {
    /** The result: a row of the table, the documented differences that occurred, and the failures. */
    record Outcome(String row, Set<String> seen, List<String> failures) {}

    /** A line of umh doctor. */
    private record Finding(String state, String words) {}

    /** If this subject is missing, no helper can be started. */
    private static final String ALL = "native library";

    private static final String PROC = "/proc";
    /** The age of the kernel, which no limit changes. */
    private static final String OF_THE_KERNEL = "system calls";

    private static final String AS_ASKED = "uid [65534,65534,65534] no_new_privs 1 dumpable 1";
    private static final Pattern FINDING = Pattern.compile("(OK|LIMITED|MISSING) +(.{16}) (.*)");

    private static final String NEW_MOUNTS = "131072";
    private static final String NOEXEC = "8";
    private static final String READ_ONLY_REMOUNT = "4129";

    static final List<GuestLimit> LIMITS = List.of(
            doing("nothing forbidden, CAP_SYS_RESOURCE present"),
            doing("without CAP_SYS_RESOURCE", "rlimit", "7", "900", "900", "drop", "24")
                    .finding("privilege", "confinement", "helper"),
            doing("without CAP_SYS_NICE, nice 5", "nice", "5", "drop", "23")
                    .finding("privilege", "confinement", "helper"),
            setting("fs/suid_dumpable", "0"),
            setting("fs/suid_dumpable", "1"),
            setting("fs/suid_dumpable", "2"),
            setting("vm/overcommit_memory", "2"),
            setting("kernel/yama/ptrace_scope", "3"),
            doing(
                            "/proc with hidepid=2, as uid 65534",
                            "unshare",
                            NEW_MOUNTS,
                            "mount",
                            "proc",
                            "/proc",
                            "32",
                            "hidepid=2",
                            "setuid",
                            "65534")
                    .finding("privilege"),
            // Without /proc the dynamic linker can't find the program's directory, which has the JVM's libraries.
            doing("no /proc", "unshare", NEW_MOUNTS, "umount", "/proc")
                    .withVariable("LD_LIBRARY_PATH=/jre/lib")
                    .finding(PROC, "helper"),
            doing("no cgroup v2", "unshare", NEW_MOUNTS, "umount", "/sys/fs/cgroup"),
            doing(
                    "in a cgroup with limits of memory, processes, cpu time and cpus",
                    "write",
                    GuestCgroup.LIMITED + "/cgroup.procs",
                    "0"),
            doing(
                    "a root that can't be written to",
                    "unshare",
                    NEW_MOUNTS,
                    "mount",
                    "none",
                    "/",
                    READ_ONLY_REMOUNT,
                    "",
                    "mount",
                    "tmpfs",
                    "/probe.reports",
                    "0",
                    "mode=0777"),
            doing("/tmp mounted noexec", "unshare", NEW_MOUNTS, "mount", "tmpfs", "/tmp", NOEXEC, ""),
            doing(
                            "/tmp, /run, /dev/shm, /var/tmp, /root mounted noexec",
                            "unshare",
                            NEW_MOUNTS,
                            "mount",
                            "tmpfs",
                            "/tmp",
                            NOEXEC,
                            "",
                            "mount",
                            "tmpfs",
                            "/run",
                            NOEXEC,
                            "",
                            "mount",
                            "tmpfs",
                            "/dev/shm",
                            NOEXEC,
                            "",
                            "mount",
                            "tmpfs",
                            "/var/tmp",
                            NOEXEC,
                            "",
                            "mount",
                            "tmpfs",
                            "/root",
                            NOEXEC,
                            "")
                    .finding(ALL),
            setting("vm/memfd_noexec", "0"),
            setting("vm/memfd_noexec", "1"),
            setting("vm/memfd_noexec", "2").finding(ALL),
            setting("vm/memfd_noexec", "2").withOption("-D" + NativeLibrary.LAUNCHER_PROPERTY + "=/launcher"));

    private static GuestLimit setting(String file, String value) {
        return new GuestLimit(
                file.replace('/', '.') + " = " + value,
                "/proc/sys/" + file,
                value,
                List.of(),
                List.of(),
                List.of(),
                Set.of());
    }

    private static GuestLimit doing(String name, String... words) {
        return new GuestLimit(name, "", "", List.of(words), List.of(), List.of(), Set.of());
    }

    private GuestLimit withOption(String option) {
        return new GuestLimit(
                name + ", the launcher's file named", sysctl, value, words, List.of(option), variables, finds);
    }

    private GuestLimit withVariable(String variable) {
        return new GuestLimit(name, sysctl, value, words, options, List.of(variable), finds);
    }

    private GuestLimit finding(String... subjects) {
        return new GuestLimit(name, sysctl, value, words, options, variables, Set.of(subjects));
    }

    Outcome examine(Path records) throws IOException, InterruptedException {
        if (!sysctl.isEmpty() && !Files.exists(Path.of(sysctl))) {
            return new Outcome(name + " | not in this kernel | |", Set.of(), List.of());
        }
        String before = sysctl.isEmpty() ? "" : GuestKernel.read(Path.of(sysctl));
        if (!sysctl.isEmpty() && GuestKernel.writeResult(Path.of(sysctl), value) < 0) {
            return new Outcome(name + " | not to be set here | |", Set.of(), List.of(name + ": can't be set"));
        }
        try {
            return outcome(jvm().run(LimitRun.class, records.toString()));
        } finally {
            if (!sysctl.isEmpty()) {
                GuestKernel.writeResult(Path.of(sysctl), before);
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

    /** The result of a JVM that ran under the limit. */
    Outcome outcome(Jvm.Outcome ran) throws IOException, InterruptedException {
        String refusal = output(ran.out(), LimitRun.REFUSED);
        // A JVM does not load a library again after a failure, so a new JVM runs umh doctor.
        Jvm.Outcome asked = refusal.isEmpty() ? ran : jvm().run(Main.class, "doctor");
        Map<String, Finding> doctor = findings(asked.out());
        List<String> failures = new ArrayList<>();
        Set<String> found = new TreeSet<>(doctor.keySet());
        found.removeIf(subject -> doctor.get(subject).state.equals("OK") || subject.equals(OF_THE_KERNEL));
        require(failures, "umh doctor finds " + found + ", not " + finds, found.equals(finds));
        require(
                failures,
                "umh doctor exits with " + asked.exitCode(),
                asked.exitCode() == (finds.contains(ALL) ? 1 : 0));
        if (finds.contains(ALL)) {
            require(
                    failures,
                    "a helper is not refused as umh doctor reports: " + ran.out() + ran.err(),
                    !refusal.isEmpty() && refusal.equals(doctor.getOrDefault(ALL, new Finding("", "")).words));
            String row = name + " | " + LimitRun.REFUSED + refusal + " | the same, exit code 1 |";
            return new Outcome(row, Set.of(), named(failures));
        }
        List<Field> fields = fields(ran.out());
        failures.addAll(agreement(ran, doctor, fields));
        return new Outcome(name + " | " + helper(fields) + " | " + words(doctor) + " |", rows(fields), named(failures));
    }

    /** The helper equals the kernel's but for documented differences; umh doctor reports its unapplied steps. */
    private List<String> agreement(Jvm.Outcome ran, Map<String, Finding> doctor, List<Field> fields) {
        List<String> failures = new ArrayList<>();
        require(failures, "no helper was started: " + ran.out() + ran.err(), !fields.isEmpty());
        fields.stream()
                .filter(field -> field.verdict() == Verdict.FAILURE && !isUnreadable(field))
                .forEach(field -> failures.add(field.toString()));
        String unapplied = output(ran.out(), LimitRun.UNAPPLIED);
        Finding helper = doctor.getOrDefault("helper", new Finding("", "nothing"));
        require(
                failures,
                "a helper does not apply " + unapplied + ", and umh doctor reports " + helper,
                helper.state.equals("LIMITED") ? helper.words.endsWith(": " + unapplied) : unapplied.isEmpty());
        String otherUser = output(ran.out(), LimitRun.OTHER_USER);
        require(failures, "a helper of another user has " + otherUser, otherUser.equals(AS_ASKED));
        String driver = output(ran.out(), LimitRun.DRIVER);
        require(failures, "a driver writes " + driver, driver.equals("hello, exit code 0"));
        return failures;
    }

    private static void require(List<String> failures, String otherwise, boolean holds) {
        if (!holds) {
            failures.add(otherwise);
        }
    }

    private List<String> named(List<String> failures) {
        return failures.stream().map(failure -> name + ": " + failure).toList();
    }

    private static List<Field> fields(String out) throws IOException {
        String lines = out.lines().filter(line -> line.startsWith("{")).collect(Collectors.joining("\n"));
        return SettingRun.parse(lines).stream().map(SettingRun.Line::field).toList();
    }

    private static Set<String> rows(List<Field> fields) {
        return fields.stream()
                .filter(field -> field.verdict() == Verdict.DOCUMENTED)
                .map(Field::row)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private String helper(List<Field> fields) {
        boolean blind = fields.stream().anyMatch(this::isUnreadable);
        return "as the kernel's" + (blind ? ", as far as it can read without /proc" : "");
    }

    /** Whether the helper could not read a field or a file because it has no /proc. */
    private boolean isUnreadable(Field field) {
        return finds.contains(PROC)
                && field.verdict() == Verdict.FAILURE
                && (field.actual() == null
                        || field.actual().equals("{}")
                        || field.actual().equals("\"-ENOENT\""));
    }

    /** The lines of umh doctor by subject. */
    private static Map<String, Finding> findings(String out) {
        Map<String, Finding> findings = new LinkedHashMap<>();
        for (String line : out.lines().toList()) {
            Matcher matcher = FINDING.matcher(line);
            if (matcher.matches()) {
                findings.put(matcher.group(2).trim(), new Finding(matcher.group(1), matcher.group(3)));
            }
        }
        return findings;
    }

    /** The limited and missing subjects. */
    private static String words(Map<String, Finding> doctor) {
        String words = doctor.entrySet().stream()
                .filter(finding -> !finding.getValue().state.equals("OK"))
                .map(finding -> finding.getKey() + ": " + finding.getValue().words)
                .collect(Collectors.joining("; "));
        return words.isEmpty() ? "nothing" : words;
    }

    /** The rest of the line that has this beginning, or an empty string. */
    private static String output(String out, String beginning) {
        return out.lines()
                .filter(line -> line.startsWith(beginning))
                .map(line -> line.substring(beginning.length()))
                .collect(Collectors.joining("\n"));
    }
}
