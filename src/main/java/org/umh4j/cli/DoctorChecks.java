// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.umh4j.Helper;
import org.umh4j.HelperProbe;
import org.umh4j.HostFeature;
import org.umh4j.JvmPrivileges;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhSysctl;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Sandbox;

/**
 * The checks of {@code umh doctor}, one method each. The last one starts a helper; {@link DoctorTrials} follows it.
 *
 * <p>A new check is a method that passes its {@link CheckResult} to {@code results}, and a call in {@code ofThisHost}.
 */
final class DoctorChecks {
    private final Map<String, String> status = status();
    private final Consumer<CheckResult> results;

    private DoctorChecks(Consumer<CheckResult> results) {
        this.results = results;
    }

    /** Runs all checks and passes each result to the consumer as soon as it is known. */
    static void ofThisHost(Consumer<CheckResult> results) {
        DoctorChecks checks = new DoctorChecks(results);
        try {
            JvmPrivileges.effective();
        } catch (LinkageError e) {
            results.accept(CheckResult.missing("native library", Main.message(e)));
            return;
        }
        checks.kernel();
        checks.procMount();
        checks.privilege();
        checks.confinement();
        checks.policy();
        checks.launcher();
        checks.descriptors();
        checks.landlock();
        checks.cgroup();
        checks.namespaces();
        checks.helper();
    }

    private void kernel() {
        results.accept(CheckResult.ok(
                "kernel",
                System.getProperty("os.version") + " on " + System.getProperty("os.arch") + ", Java "
                        + System.getProperty("java.version")));
    }

    private void procMount() {
        results.accept(
                status.isEmpty()
                        ? CheckResult.limited(
                                "/proc", "not mounted: oom_score_adj and coredump_filter stay the JVM's", "mount /proc")
                        : CheckResult.ok("/proc", "mounted"));
    }

    private void privilege() {
        CapabilitySet effective = JvmPrivileges.effective();
        CapabilitySet missing = CapabilitySet.all().minus(effective);
        String uid = status.getOrDefault("Uid", "?").split("\\s+")[0];
        if (missing.isEmpty()) {
            String where = ProcFile.read("/proc/self/uid_map").matches("|0\\s+0\\s+4294967295")
                    ? ""
                    : " of a user namespace, not of the host";
            results.accept(CheckResult.ok("privilege", "uid " + uid + " with every capability" + where));
            return;
        }
        String who = "uid " + uid + " without " + (effective.isEmpty() ? "any capability" : missing);
        String impossible = String.join(", ", impossible(effective));
        results.accept(
                impossible.isEmpty()
                        ? CheckResult.ok("privilege", who)
                        : CheckResult.limited(
                                "privilege",
                                who + ". Helpers can't be given " + impossible,
                                "run this JVM as root, or with these capabilities"
                                        + " (AmbientCapabilities= of a unit, capabilities.add of a container)"));
    }

    /** Returns the attributes that need a capability which the JVM lacks. */
    private static List<String> impossible(CapabilitySet effective) {
        Map<Capability, String> needed = new EnumMap<>(Capability.class);
        needed.put(Capability.CAP_SETPCAP, "a smaller bounding set");
        needed.put(Capability.CAP_SYS_RESOURCE, "higher hard limits than the JVM's");
        needed.put(Capability.CAP_SYS_NICE, "a better nice value or policy than the JVM's");
        needed.keySet().removeIf(effective::contains);
        return List.copyOf(needed.values());
    }

    /** The restrictions of the JVM that all its children inherit. */
    private void confinement() {
        List<String> inherited = new ArrayList<>();
        if (status.getOrDefault("NoNewPrivs", "0").equals("1")) {
            inherited.add("no_new_privs: set-user-ID programs and file capabilities have no effect in helpers");
        }
        if (!status.getOrDefault("Seccomp", "0").equals("0")) {
            inherited.add("a seccomp filter, which helpers inherit");
        }
        CapabilitySet unbounded = CapabilitySet.all().minus(JvmPrivileges.bounding());
        if (!unbounded.isEmpty()) {
            inherited.add("a bounding set without " + unbounded);
        }
        results.accept(
                inherited.isEmpty()
                        ? CheckResult.ok("confinement", "none that helpers inherit")
                        : CheckResult.limited(
                                "confinement",
                                "this JVM runs with " + String.join("; with ", inherited),
                                "check the configuration of this JVM: a container's securityContext, or a unit's"
                                        + " NoNewPrivileges=, SystemCallFilter= and CapabilityBoundingSet="));
    }

    private void policy() {
        CapabilitySet dropped = CapabilitySet.all().minus(UmhSysctl.bset());
        results.accept(
                dropped.isEmpty()
                        ? CheckResult.ok("policy", "kernel.usermodehelper.bset permits every capability")
                        : CheckResult.limited(
                                "policy",
                                "kernel.usermodehelper.bset removes from helpers: " + dropped,
                                "reboot this host: the sysctl was narrowed, and can't be widened"));
    }

    private void launcher() {
        String noexec = ProcFile.read("/proc/sys/vm/memfd_noexec");
        results.accept(CheckResult.ok(
                "launcher",
                noexec.equals("2") ? "a file, because vm.memfd_noexec forbids executable memfds" : "a sealed memfd"));
    }

    private void descriptors() {
        String limit = ProcFile.read("/proc/self/limits")
                .lines()
                .filter(line -> line.startsWith("Max open files"))
                .findFirst()
                .map(line -> line.substring("Max open files".length()).trim().split("\\s+")[0])
                .orElse("?");
        results.accept(CheckResult.ok("descriptors", "up to " + limit + "; each live helper takes one"));
    }

    private void landlock() {
        int abi = Sandbox.landlockAbi();
        results.accept(CheckResult.ok(
                "landlock", abi > 0 ? "ABI " + abi : "none, or not enabled: rules fail at stage LANDLOCK"));
    }

    private void cgroup() {
        String cgroup = ProcFile.mountPoint("cgroup2").orElse("");
        results.accept(CheckResult.ok(
                "cgroup",
                cgroup.isEmpty()
                        ? "cgroup2 is not mounted, so no cgroup can be named"
                        : "directories below " + cgroup));
    }

    private void namespaces() {
        String[] kinds = new File("/proc/self/ns").list((directory, name) -> !name.endsWith("_for_children"));
        results.accept(CheckResult.ok(
                "namespaces",
                (kinds == null
                                ? "unknown without /proc"
                                : Arrays.stream(kinds).sorted().collect(Collectors.joining(", ")))
                        + (ProcFile.read("/proc/sys/user/max_user_namespaces").equals("0")
                                ? "; user.max_user_namespaces forbids new user namespaces"
                                : "")));
    }

    /** Starts a helper with the default task, then tries the attributes of {@link DoctorTrials}. */
    private void helper() {
        try (HelperProbe probe = HelperProbe.install();
                Helper helper = UsermodeHelper.start(
                        SubprocessInfo.of(probe.path(), new String[] {probe.path()}, new String[0]))) {
            WaitStatus end = helper.waitFor();
            systemCalls();
            if (!end.success()) {
                results.accept(CheckResult.missing("helper", "started and ended with " + end));
                return;
            }
            Set<UmhStage> unapplied = helper.unapplied();
            results.accept(
                    unapplied.isEmpty()
                            ? CheckResult.ok("helper", "starts, with every attribute of a helper of the kernel")
                            : CheckResult.limited(
                                    "helper",
                                    "starts; these stay as the JVM has them: " + names(unapplied),
                                    "docs/errors.md lists the privilege that each of these stages needs"));
            DoctorTrials.all(probe, results);
        } catch (UmhException e) {
            results.accept(CheckResult.missing("helper", Main.message(e)));
        } catch (IOException e) {
            results.accept(CheckResult.limited(
                    "helper",
                    "not tried: " + Main.message(e),
                    "name a directory that is not mounted noexec by -Dorg.umh4j.library.tmpdir"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void systemCalls() {
        String missing = HostFeature.all().stream()
                .filter(feature -> !feature.inUse())
                .map(feature -> feature.name() + " (" + feature.fallback() + ")")
                .collect(Collectors.joining(", "));
        results.accept(
                missing.isEmpty()
                        ? CheckResult.ok(
                                "system calls",
                                "all of them are in use: "
                                        + HostFeature.all().stream()
                                                .map(HostFeature::name)
                                                .toList())
                        : CheckResult.limited(
                                "system calls",
                                "not available: " + missing,
                                "use a newer kernel, or a container runtime whose seccomp filter permits them"));
    }

    private static String names(Set<UmhStage> stages) {
        return stages.stream().map(UmhStage::name).collect(Collectors.joining(", "));
    }

    private static Map<String, String> status() {
        Map<String, String> fields = new LinkedHashMap<>();
        for (String line : ProcFile.read("/proc/self/status").split("\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        }
        return fields;
    }
}
