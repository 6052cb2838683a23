// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.umh4j.conformance.FieldComparison.Verdict;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.support.Jvm;

/**
 * Compares umh4j on this host with the recordings of real kernels: every field of every helper, every call, every write
 * to the sysctl files. A difference that {@code docs/differences.md} does not document, or documents otherwise, is a
 * failure. So is a documented difference that never occurs.
 *
 * <p>Arguments: names of settings, by default all; {@code --docs} writes the table into docs/conformance.md.
 */
public final class Conformance {
    private static final Path PAGE = Path.of("docs/conformance.md");

    /** Rows that this host may not be able to show. {@link GuestResults} requires that the guests show them. */
    static final Map<String, String> IN_GUESTS = Map.of(
            "cwd", "a pid 1 that works elsewhere than in /",
            "ioprio", "a kernel of 5.10 and a JVM with an I/O priority",
            "cpuset", "a JVM in a cpuset",
            "status.Cpus_allowed", "another number of cpus than the recorder's two",
            "status.Cpus_allowed_list", "another number of cpus than the recorder's two",
            "cpu_affinity", "another number of cpus than the recorder's two");

    /** Rows about other hosts, which neither this host nor a guest can show. */
    private static final Map<String, String> OTHER_HOSTS = Map.ofEntries(
            Map.entry("status.untag_mask", "a kernel of 6.4 or newer"),
            Map.entry("status.x86_Thread_features", "a kernel of 6.6 or newer with shadow stacks"),
            Map.entry("status.x86_Thread_features_locked", "a kernel of 6.6 or newer with shadow stacks"),
            Map.entry("status.Kthread", "a kernel of 6.10 or newer"),
            Map.entry("status.THP_enabled", "a kernel without transparent huge pages"),
            Map.entry("attr_current", "another security module than the recorder's"));

    private final DocumentedDifferences differences;
    private final Host host;
    private final Set<String> failures = new TreeSet<>();
    private final Set<String> seen = new TreeSet<>();
    private final Map<String, String> unseen = new LinkedHashMap<>();

    Conformance(DocumentedDifferences differences) throws IOException, InterruptedException {
        this.differences = differences;
        this.host = Host.inspect(Programs.inTestDirectory());
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        List<String> names = new ArrayList<>(List.of(arguments));
        boolean docs = names.remove("--docs");
        Conformance conformance = new Conformance(DocumentedDifferences.read());
        if (names.isEmpty()) {
            conformance.everything();
        } else {
            for (String name : names) {
                conformance.helpers(Setting.valueOf(name));
            }
        }
        conformance.print();
        if (docs) {
            Files.writeString(PAGE, new ConformanceTable(conformance.differences).into(Files.readString(PAGE)));
        }
        System.exit(conformance.failures.isEmpty() ? 0 : 1);
    }

    private void everything() throws IOException, InterruptedException {
        for (Setting setting : Setting.values()) {
            if (setting.isPossible(host)) {
                helpers(setting);
            } else {
                System.out.println("not compared here: " + setting + ", which needs privilege");
                setting.provokes()
                        .forEach(row -> unseen.put(row, "setting " + setting + ", which this JVM can't make"));
            }
        }
        disagreements();
        calls();
        writes();
    }

    private void helpers(Setting setting) throws IOException, InterruptedException {
        Jvm jvm = setting.jvm().shortLived();
        String launcher = System.getProperty(NativeLibrary.LAUNCHER_PROPERTY);
        if (launcher != null) {
            jvm.option("-D" + NativeLibrary.LAUNCHER_PROPERTY + "=" + launcher);
        }
        for (SettingRun.Line line :
                SettingRun.parse(jvm.run(SettingRun.class, setting.name()).requireSuccess())) {
            if (line.field().verdict() == Verdict.FAILURE) {
                failures.add(line.kernel() + " " + setting + " " + line.field());
            } else {
                seen.add(line.field().row());
            }
        }
    }

    /** Checks that each row has a rule and each rule a row, that no field is in two rows, and that every row occurs. */
    Set<String> disagreements() {
        List<String> rows =
                differences.rows().stream().map(DocumentedDifferences.Row::name).toList();
        for (String row : rows) {
            if (rows.indexOf(row) != rows.lastIndexOf(row)) {
                failures.add("docs/differences.md lists " + row + " twice");
            }
            if (DifferenceRules.rule(row) == null) {
                failures.add("docs/differences.md lists " + row + ", and DifferenceRules has no rule for it");
            }
            if (!seen.contains(row)) {
                unseen.putIfAbsent(row, IN_GUESTS.getOrDefault(row, OTHER_HOSTS.get(row)));
            }
        }
        DifferenceRules.names().stream()
                .filter(name -> !rows.contains(name))
                .forEach(name -> failures.add(
                        "docs/differences.md does not list " + name + ", which has a rule in DifferenceRules"));
        unseen.keySet().removeAll(seen);
        unseen.forEach((row, reason) -> {
            if (reason == null) {
                failures.add("docs/differences.md lists " + row + ", and nothing differs");
            }
        });
        return failures;
    }

    private void calls() throws IOException, InterruptedException {
        CallReplay replay = new CallReplay();
        for (String kernel : Recordings.KERNELS) {
            for (Call call : Recordings.calls(kernel)) {
                if (call.isCall()) {
                    compare(call.toString(), CallReplay.Result.expected(call), replay.result(call));
                }
            }
        }
    }

    private void writes() throws IOException {
        for (String kernel : Recordings.KERNELS) {
            for (SysctlWrite write : Recordings.writes(kernel)) {
                if (!write.isAtOffset()) {
                    compare(write.toString(), write.expected(), write.result());
                }
            }
        }
    }

    private void compare(String what, Object expected, Object actual) {
        if (!expected.equals(actual)) {
            failures.add(what + ": expected " + expected + ", was " + actual);
        }
    }

    private void print() throws IOException {
        System.out.println(new ConformanceTable(differences).text());
        unseen.forEach((row, reason) -> System.out.println("not seen here: " + row + ": it needs " + reason));
        failures.forEach(failure -> System.out.println("FAILURE " + failure));
        System.out.println(failures.isEmpty() ? "conforms" : failures.size() + " failures");
    }
}
