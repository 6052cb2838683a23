// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.umh4j.linux.Capability;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;

/**
 * The attributes of a JVM that compares. Each setting provokes the differences of some rows, so a row that never occurs
 * is found.
 */
enum Setting {
    UNCHANGED(Policy.FULL, Set.of(), null),
    CONFINED(
            Policy.FULL,
            Set.of(
                    "no_new_privs",
                    "status.NoNewPrivs",
                    "seccomp_mode",
                    "status.Seccomp",
                    "status.Seccomp_filters",
                    "securebits"),
            null,
            "no-new-privs",
            "seccomp",
            "securebits",
            "12"),
    LOW_LIMITS(Policy.FULL, Set.of("rlimits"), null, "rlimit", "7", "256", "256", "drop", "24", "drop", "8"),
    IN_A_GROUP(Policy.FULL, Set.of("groups", "status.Groups"), null, "group", "7"),
    LOGGED_IN(
            Policy.FULL,
            Set.of("loginuid", "sessionid"),
            Capability.CAP_AUDIT_CONTROL,
            "write",
            "/proc/self/loginuid",
            "1000"),
    RAISED_OOM_SCORE(
            Policy.FULL,
            Set.of("oom_score_adj"),
            Capability.CAP_SYS_RESOURCE,
            "write",
            "/proc/self/oom_score_adj",
            "300",
            "drop",
            "24"),
    BOUNDED(Policy.FULL, Set.of("status.CapPrm", "status.CapEff", "status.CapBnd"), null, "drop", "16"),
    LOW_PRIORITY(
            Policy.FULL,
            Set.of("nice", "stat.nice", "stat.priority", "sched_policy", "stat.policy"),
            null,
            "nice",
            "5",
            "policy",
            "5",
            "drop",
            "23"),
    /** A caller with changed attributes, which the helper must not inherit. */
    ODD(Policy.FULL, Set.of(), null) {
        @Override
        List<String> words() {
            List<String> words = new ArrayList<>(oddCommands());
            words.addAll(List.of(
                    "chdir",
                    Path.of("").toAbsolutePath().toString())); // the class path and the table are relative to it
            return words;
        }

        @Override
        boolean includes(Scenario scenario) {
            return scenario.name().startsWith("caller_odd.");
        }
    },
    NOBODY(
            Policy.FULL,
            Set.of("uids_ruid_euid_suid", "gids_rgid_egid_sgid", "status.Uid", "status.Gid"),
            null,
            "setuid",
            "65534"),
    FEW_CAPABILITIES(Policy.FEW, Set.of("fds", "stat.flags_hex"), null),
    NO_CAPABILITIES(Policy.NONE, Set.of(), null),
    NONE_INHERITABLE(Policy.INHERITABLE_NONE, Set.of(), null),
    FEW_AND_NONE_INHERITABLE(Policy.FEW_INHERITABLE_NONE, Set.of(), null);

    /** Writers to the sysctl files as recordings name them, whose privilege is that of a JVM in a setting. */
    private static final Map<String, Setting> WRITERS = Map.of(
            "with only CAP_SETPCAP+CAP_SYS_MODULE", UNCHANGED,
            "without CAP_SYS_MODULE", BOUNDED,
            "without CAP_SETPCAP", LOW_LIMITS,
            "empty effective set", NOBODY);

    private final Policy policy;
    private final Set<String> provokes;
    private final Capability needed;
    private final List<String> words;

    Setting(Policy policy, Set<String> provokes, Capability needed, String... words) {
        this.policy = policy;
        this.provokes = provokes;
        this.needed = needed;
        this.words = List.of(words);
    }

    Policy policy() {
        return policy;
    }

    /** The rows of the table of differences that it provokes. */
    Set<String> provokes() {
        return provokes;
    }

    /** The setting with the privilege of a recorded writer; empty if the kernel refused to open the file. */
    static Optional<Setting> of(SysctlWrite write) {
        return Optional.ofNullable(WRITERS.get(write.writer()));
    }

    /** Whether it only provokes rows, so that one recording is enough. */
    boolean isForRowsOnly() {
        return !words.isEmpty();
    }

    /** Whether this JVM can start a JVM under it; root can start all but those that need a missing capability. */
    boolean isPossible(Host host) {
        if (policy != Policy.FULL && !host.mayWritePolicy()) {
            return false;
        }
        return words().isEmpty()
                || host.isRoot() && Optional.ofNullable(needed).map(host::has).orElse(true);
    }

    /** The commands of the probe before it executes the JVM. */
    List<String> words() {
        return words;
    }

    /** Whether a helper is compared under it. */
    boolean includes(Scenario scenario) {
        return scenario.policy() == policy;
    }

    /** The commands that change every attribute that children inherit: of pid 1, a caller, or a JVM. */
    static List<String> oddCommands() {
        Path ofGuest = Path.of("odd.words");
        Path file = Files.exists(ofGuest) ? ofGuest : Path.of("test/conformance/guest/odd.words");
        try {
            return List.of(Files.readString(file).trim().split("\\s+"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A JVM under it. The probe runs the commands and executes the JVM. */
    Jvm jvm() throws IOException {
        Jvm jvm = this == NOBODY ? new Jvm().readableByAll() : new Jvm();
        if (words().isEmpty()) {
            return jvm;
        }
        List<String> command = new ArrayList<>(List.of(ProbeProgram.path()));
        command.addAll(words());
        command.addAll(List.of("exec", "/bin/env", "env"));
        return jvm.under(command.toArray(String[]::new));
    }
}
