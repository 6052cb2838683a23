// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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

/** What umh doctor looks at, one method each. The proof of the pudding is the last: a helper is started. */
final class DoctorChecks {
    private final Map<String, String> status = status();
    private final Consumer<CheckResult> results;

    private DoctorChecks(Consumer<CheckResult> results) {
        this.results = results;
    }

    /** Hands over each finding as soon as it is made. */
    static void ofThisHost(Consumer<CheckResult> results) {
        DoctorChecks checks = new DoctorChecks(results);
        try {
            JvmPrivileges.effective();
        } catch (LinkageError e) {
            results.accept(CheckResult.missing("native library", Main.message(e)));
            return;
        }
        checks.kernel();
        checks.identity();
        checks.inescapable();
        checks.policy();
        checks.memfd();
        checks.descriptors();
        checks.beyondTheKernels();
        checks.helper();
    }

    private void kernel() {
        results.accept(CheckResult.ok(
                "kernel",
                System.getProperty("os.version") + " on " + System.getProperty("os.arch") + ", Java "
                        + System.getProperty("java.version")));
        results.accept(
                status.isEmpty()
                        ? CheckResult.limited(
                                "/proc", "not mounted: oom_score_adj and coredump_filter stay the JVM's", "mount it")
                        : CheckResult.ok("/proc", "mounted"));
    }

    private void identity() {
        CapabilitySet effective = JvmPrivileges.effective();
        CapabilitySet missing = CapabilitySet.all().minus(effective);
        String uid = status.getOrDefault("Uid", "?").split("\\s+")[0];
        if (missing.isEmpty()) {
            String where = ProcFile.read("/proc/self/uid_map").trim().matches("|0\\s+0\\s+4294967295")
                    ? ""
                    : " of a user namespace, not of the host";
            results.accept(CheckResult.ok("privilege", "uid " + uid + " with every capability" + where));
            return;
        }
        StringBuilder words = new StringBuilder("uid " + uid + " without ");
        words.append(effective.isEmpty() ? "any capability" : missing.toString());
        words.append(". Helpers can't be given");
        add(words, effective, Capability.CAP_SETPCAP, " a smaller bounding set,");
        add(words, effective, Capability.CAP_SYS_RESOURCE, " higher hard limits than the JVM's,");
        add(words, effective, Capability.CAP_SYS_NICE, " a better nice value or policy than the JVM's,");
        String text = words.toString();
        boolean harmless = !text.endsWith(",");
        results.accept(
                harmless
                        ? CheckResult.ok("privilege", text.substring(0, text.indexOf(". Helpers")))
                        : CheckResult.limited(
                                "privilege",
                                text.substring(0, text.length() - 1),
                                "run this JVM as root, or with those"
                                        + " capabilities (AmbientCapabilities= of a unit, capabilities.add of a container)"));
    }

    private static void add(StringBuilder words, CapabilitySet effective, Capability needed, String what) {
        if (!effective.contains(needed)) {
            words.append(what);
        }
    }

    /** What the JVM itself is under, and no child of it can leave. */
    private void inescapable() {
        List<String> kept = new ArrayList<>();
        if (status.getOrDefault("NoNewPrivs", "0").equals("1")) {
            kept.add("no_new_privs: set-user-ID programs and file capabilities have no effect in helpers");
        }
        if (!status.getOrDefault("Seccomp", "0").equals("0")) {
            kept.add("a seccomp filter, which helpers inherit");
        }
        CapabilitySet unbounded = CapabilitySet.all().minus(JvmPrivileges.bounding());
        if (!unbounded.isEmpty()) {
            kept.add("a bounding set without " + unbounded);
        }
        results.accept(
                kept.isEmpty()
                        ? CheckResult.ok("confinement", "none that helpers would inherit")
                        : CheckResult.limited(
                                "confinement",
                                "this JVM runs with " + String.join("; with ", kept),
                                "look at what started this JVM: a container's securityContext, or a unit's"
                                        + " NoNewPrivileges=, SystemCallFilter= and CapabilityBoundingSet="));
    }

    private void policy() {
        CapabilitySet dropped = CapabilitySet.all().minus(UmhSysctl.bset());
        results.accept(
                dropped.isEmpty()
                        ? CheckResult.ok("policy", "kernel.usermodehelper.bset leaves every capability")
                        : CheckResult.limited(
                                "policy",
                                "kernel.usermodehelper.bset takes from helpers: " + dropped,
                                "boot this host anew: somebody has narrowed it, and nobody can widen it"));
    }

    private void memfd() {
        String noexec = ProcFile.read("/proc/sys/vm/memfd_noexec");
        results.accept(CheckResult.ok(
                "launcher",
                noexec.equals("2") ? "a file, since vm.memfd_noexec forbids executable memfds" : "a sealed memfd"));
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

    /** What no helper of the kernel has and a call can ask for, as far as hosts differ. */
    private void beyondTheKernels() {
        int abi = Sandbox.landlockAbi();
        results.accept(
                CheckResult.ok("landlock", abi > 0 ? "ABI " + abi : "none, or not enabled: rules fail at LANDLOCK"));
        String cgroup = ProcFile.mountPoint("cgroup2").orElse("");
        results.accept(CheckResult.ok(
                "cgroup", cgroup.isEmpty() ? "no cgroup2 is mounted to name a folder of" : "folders below " + cgroup));
        String[] kinds = new File("/proc/self/ns").list((folder, name) -> !name.endsWith("_for_children"));
        results.accept(CheckResult.ok(
                "namespaces",
                (kinds == null
                                ? "not known without /proc"
                                : Arrays.stream(kinds).sorted().collect(Collectors.joining(", ")))
                        + (ProcFile.read("/proc/sys/user/max_user_namespaces")
                                        .trim()
                                        .equals("0")
                                ? "; no new user namespaces, by user.max_user_namespaces"
                                : "")));
    }

    /** The born state as this host lets us make it. */
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
                            ? CheckResult.ok("helper", "starts, and is born as the kernel's would be")
                            : CheckResult.limited(
                                    "helper",
                                    "starts; these stay as the JVM has them: " + names(unapplied),
                                    "see docs/errors.md, which says of each what it needs"));
            DoctorTrials.all(probe, results);
        } catch (UmhException e) {
            results.accept(CheckResult.missing("helper", Main.message(e)));
        } catch (IOException e) {
            results.accept(CheckResult.limited(
                    "helper",
                    "not tried: " + Main.message(e),
                    "name a folder that is not mounted noexec by" + " -Dorg.umh4j.library.tmpdir"));
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
                                "those of a newer kernel are in use: "
                                        + HostFeature.all().stream()
                                                .map(HostFeature::name)
                                                .toList())
                        : CheckResult.limited(
                                "system calls",
                                "not available: " + missing,
                                "use a newer kernel, or a container runtime whose" + " seccomp filter knows them"));
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
