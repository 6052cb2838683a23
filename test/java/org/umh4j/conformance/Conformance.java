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
 * Compares umh4j on this machine with the recordings of real kernels: every field of every helper, every call, every
 * write to the sysctl files. What differs is documented in {@code docs/kernel-map.md}, and differs as it is documented
 * there, or it is a failure; so is what is documented and never differs.
 *
 * <p>Arguments: names of settings to compare in, all by default; {@code --docs} to write the table into docs/conformance.md.
 */
public final class Conformance {
    private static final Path PAGE = Path.of("docs/conformance.md");

    /** Rows that this machine may have no chance to show. The guests show them: {@link KernelTruth} demands it. */
    static final Map<String, String> IN_GUESTS = Map.of(
            "cwd", "a pid 1 that works elsewhere than in /",
            "ioprio", "a kernel of 5.10 and a JVM with an I/O priority",
            "cpuset", "a JVM in a cpuset",
            "status.Cpus_allowed", "another number of cpus than the recorder's two",
            "status.Cpus_allowed_list", "another number of cpus than the recorder's two",
            "cpu_affinity", "another number of cpus than the recorder's two");

    /** Rows about machines unlike this one: where none of them is at hand, nobody can see the difference. */
    private static final Map<String, String> OTHER_MACHINES = Map.ofEntries(
            Map.entry("status.untag_mask", "a kernel of 6.4 or newer"),
            Map.entry("status.x86_Thread_features", "a kernel of 6.6 or newer with shadow stacks"),
            Map.entry("status.x86_Thread_features_locked", "a kernel of 6.6 or newer with shadow stacks"),
            Map.entry("status.Kthread", "a kernel of 6.10 or newer"),
            Map.entry("status.THP_enabled", "a kernel without transparent huge pages"),
            Map.entry("attr_current", "another security module than the recorder's"));

    private final KernelMap map;
    private final Host host;
    private final Set<String> failures = new TreeSet<>();
    private final Set<String> seen = new TreeSet<>();
    private final Map<String, String> unseen = new LinkedHashMap<>();

    Conformance(KernelMap map) throws IOException, InterruptedException {
        this.map = map;
        this.host = Host.look(Programs.ofTheTests());
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        List<String> names = new ArrayList<>(List.of(arguments));
        boolean docs = names.remove("--docs");
        Conformance conformance = new Conformance(KernelMap.read());
        if (names.isEmpty()) {
            conformance.everything();
        } else {
            for (String name : names) {
                conformance.helpers(Setting.valueOf(name));
            }
        }
        conformance.print();
        if (docs) {
            Files.writeString(PAGE, new ConformanceTable(conformance.map).into(Files.readString(PAGE)));
        }
        System.exit(conformance.failures.isEmpty() ? 0 : 1);
    }

    private void everything() throws IOException, InterruptedException {
        for (Setting setting : Setting.values()) {
            if (setting.isPossible(host)) {
                helpers(setting);
            } else {
                System.out.println("not compared here: " + setting + ", which takes privilege");
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
        for (InSetting.Line line :
                InSetting.parse(jvm.run(InSetting.class, setting.name()).requireSuccess())) {
            if (line.field().verdict() == Verdict.FAILURE) {
                failures.add(line.kernel() + " " + setting + " " + line.field());
            } else {
                seen.add(line.field().row());
            }
        }
    }

    /** Each row has a rule, each rule a row, no field stands in two rows, and every row is about something. */
    Set<String> disagreements() {
        List<String> rows = map.rows().stream().map(KernelMap.Row::name).toList();
        for (String row : rows) {
            if (rows.indexOf(row) != rows.lastIndexOf(row)) {
                failures.add("docs/kernel-map.md lists " + row + " twice");
            }
            if (Documented.rule(row) == null) {
                failures.add("docs/kernel-map.md lists " + row + ", and Documented has no rule for it");
            }
            if (!seen.contains(row)) {
                unseen.putIfAbsent(row, IN_GUESTS.getOrDefault(row, OTHER_MACHINES.get(row)));
            }
        }
        Documented.names().stream()
                .filter(name -> !rows.contains(name))
                .forEach(name ->
                        failures.add("docs/kernel-map.md does not list " + name + ", which has a rule in Documented"));
        unseen.keySet().removeAll(seen);
        unseen.forEach((row, reason) -> {
            if (reason == null) {
                failures.add("docs/kernel-map.md lists " + row + ", and nothing differs");
            }
        });
        return failures;
    }

    private void calls() throws IOException, InterruptedException {
        CallReplay replay = new CallReplay();
        for (String kernel : Recordings.KERNELS) {
            for (Call call : Recordings.calls(kernel)) {
                if (call.isCall()) {
                    compare(call.toString(), CallReplay.Answer.expected(call), replay.answer(call));
                }
            }
        }
    }

    private void writes() throws IOException {
        for (String kernel : Recordings.KERNELS) {
            for (SysctlWrite write : Recordings.writes(kernel)) {
                if (!write.isAtOffset()) {
                    compare(write.toString(), write.expected(), write.answer());
                }
            }
        }
    }

    private void compare(String what, Object there, Object here) {
        if (!there.equals(here)) {
            failures.add(what + ": " + there + " there, " + here + " here");
        }
    }

    private void print() throws IOException {
        System.out.println(new ConformanceTable(map).text());
        unseen.forEach((row, reason) -> System.out.println("not seen here: " + row + ": it takes " + reason));
        failures.forEach(failure -> System.out.println("FAILURE " + failure));
        System.out.println(failures.isEmpty() ? "conforms" : failures.size() + " failures");
    }
}
