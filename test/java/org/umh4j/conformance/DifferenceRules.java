// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.Report;

/**
 * A rule for each field that may differ, in the order of {@code docs/differences.md}. A difference that does not follow
 * its rule is not a documented one.
 */
final class DifferenceRules {
    /** A field that differs, with both helpers and the host. Values are JSON text, or null if a report has none. */
    record Difference(Scenario scenario, String field, String expected, String actual, Report helper, Host host) {}

    /** Decides whether a difference is the documented one. */
    interface Rule {
        boolean allows(Difference difference);
    }

    private static final long PF_SUPERPRIV = 0x100;
    private static final Map<String, Rule> RULES = rules();

    private DifferenceRules() {}

    static Rule rule(String name) {
        return RULES.get(name);
    }

    static Set<String> names() {
        return RULES.keySet();
    }

    private static Map<String, Rule> rules() {
        Map<String, Rule> rules = new LinkedHashMap<>();
        files(rules);
        numbers(rules);
        privilege(rules);
        scheduling(rules);
        inherited(rules);
        limits(rules);
        keyrings(rules);
        oneSided(rules);
        return rules;
    }

    /** The same file, in another directory. */
    private static void files(Map<String, Rule> rules) {
        rules.put("cwd", d -> text(d.actual).equals("/"));
        rules.put("exe", d -> text(d.actual).endsWith(text(d.expected)));
        rules.put("fds.0.link", d -> isPipe(d.expected) && isPipe(d.actual) || isOfLibc(d));
    }

    /** The libc of a set-user-ID program opens 0 to 2 if they are closed. */
    private static boolean isOfLibc(Difference d) {
        return d.scenario.isSetUid() && d.helper.get("fds").isEmpty();
    }

    private static boolean isPipe(String link) {
        return link != null && text(link).matches("pipe:\\[\\d+]");
    }

    private static void numbers(Map<String, Rule> rules) {
        all(rules, d -> d.actual.equals(quotedLike(d.actual, d.host.pid())), "ppid", "stat.ppid", "status.PPid");
        all(
                rules,
                d -> d.actual.equals(quotedLike(d.actual, d.helper.number("pid"))),
                "pid",
                "status.Pid",
                "status.Tgid",
                "status.NSpid",
                "status.NStgid",
                "pgrp",
                "sid",
                "stat.pgrp",
                "stat.session",
                "status.NSpgid",
                "status.NSsid");
        all(
                rules,
                d -> text(d.actual).matches("\\d+"),
                "status.voluntary_ctxt_switches",
                "status.nonvoluntary_ctxt_switches");
        rules.put("ioprio", d -> d.expected.equals("4") && d.actual.equals("0"));
        rules.put("stat.flags_hex", d -> (hex(d.expected) ^ hex(d.actual)) == PF_SUPERPRIV);
        rules.put(
                "status.SigQ",
                d -> text(d.actual)
                        .matches("\\d+/"
                                + d.helper.get("rlimits.SIGPENDING").get(0).asText()));
    }

    private static void privilege(Map<String, Rule> rules) {
        rules.put("status.CapBnd", d -> hex(d.actual) == bounding(d));
        all(
                rules,
                d -> hex(d.actual)
                        == (d.host.isRoot()
                                ? hex(d.expected) & d.host.bounding().bits()
                                : 0),
                "status.CapPrm",
                "status.CapEff");
    }

    /** To apply a policy, the JVM needs CAP_SETPCAP. */
    private static long bounding(Difference d) {
        CapabilitySet own = d.host.bounding();
        return (d.host.has(Capability.CAP_SETPCAP) ? d.scenario.policy().of(own) : own).bits();
    }

    private static void scheduling(Map<String, Rule> rules) {
        all(
                rules,
                d -> !d.host.has(Capability.CAP_SYS_NICE)
                        && d.actual.equals(d.host.child().flat().get(d.field)),
                "nice",
                "stat.nice",
                "stat.priority",
                "sched_policy",
                "stat.policy");
    }

    /** The helper has the same value as any child of this JVM. */
    private static void inherited(Map<String, Rule> rules) {
        all(
                rules,
                d -> d.actual.equals(d.host.child().flat().get(d.field)),
                "uids_ruid_euid_suid",
                "gids_rgid_egid_sgid",
                "groups",
                "status.Uid",
                "status.Gid",
                "status.Groups",
                "no_new_privs",
                "status.NoNewPrivs",
                "seccomp_mode",
                "status.Seccomp",
                "status.Seccomp_filters",
                "securebits",
                "ns",
                "cgroup",
                "cpuset",
                "status.Cpus_allowed",
                "status.Cpus_allowed_list",
                "cpu_affinity",
                "loginuid",
                "sessionid",
                "attr_current",
                "oom_score_adj");
    }

    private static void limits(Map<String, Rule> rules) {
        rules.put("rlimits", d -> isPermitted(d, json(d, d.scenario.report())));
        all(rules, DifferenceRules::isOfKthreadd, "rlimits.NPROC", "rlimits.SIGPENDING");
    }

    private static JsonNode json(Difference d, Report report) {
        return report.get(d.field);
    }

    private static boolean isOfKthreadd(Difference d) {
        Long limit = d.host.kthreadd().get(d.field);
        JsonNode actual = d.helper.get(d.field);
        return limit == null || actual.get(0).asLong() <= limit && actual.get(1).asLong() <= limit;
    }

    /** The limit of the kernel's helper, cut to the hard limit that the JVM can't raise. */
    private static boolean isPermitted(Difference d, JsonNode wanted) {
        if (d.host.has(Capability.CAP_SYS_RESOURCE)) {
            return false;
        }
        long own = limit(json(d, d.host.child()).get(1));
        long hard = Math.min(limit(wanted.get(1)), own);
        JsonNode actual = d.helper.get(d.field);
        return limit(actual.get(1)) == hard && limit(actual.get(0)) == Math.min(limit(wanted.get(0)), hard);
    }

    private static long limit(JsonNode value) {
        return value.asText().equals("inf") ? Long.MAX_VALUE : value.asLong();
    }

    private static void keyrings(Map<String, Rule> rules) {
        rules.put(
                "keyrings.session",
                d -> d.helper.number("keyrings.session_size") == 0
                        && d.helper.number("keyrings.session.id")
                                != d.host.child().number("keyrings.session.id")
                        && d.helper.text("keyrings.session.describe_by_spec").endsWith(";_ses"));
        rules.put("keyrings.session_size", d -> d.actual.equals("0"));
        all(rules, d -> d.actual.equals(d.host.child().flat().get(d.field)), "keyrings.user", "keyrings.user_session");
        rules.put("keyrings.reqkey_default_set_reqkey_keyring", d -> d.expected.equals("1") && d.actual.equals("0"));
    }

    /** Only one of the two reporting programs reads it, or only one of the two kernels has it. */
    private static void oneSided(Map<String, Rule> rules) {
        all(
                rules,
                d -> d.expected == null,
                "status.Ngid",
                "status.FDSize",
                "status.State",
                "status.CoreDumping",
                "status.Kthread",
                "status.Mems_allowed",
                "status.Speculation_Store_Bypass",
                "status.SpeculationIndirectBranch",
                "status.untag_mask",
                "status.x86_Thread_features",
                "status.x86_Thread_features_locked",
                "mempolicy",
                "auxv",
                "mce_kill");
        all(
                rules,
                d -> d.actual == null,
                "parent",
                "ns_pid1",
                "monotonic_ns",
                "test_sched_setaffinity_cpu1",
                "test_fork_waitpid_status",
                "keyrings.user.describe",
                "keyrings.user_session.describe",
                "keyrings.session.describe",
                "fds.0.fdinfo",
                "status.THP_enabled");
        all(
                rules,
                d -> d.actual == null && d.scenario.name().endsWith(".core"),
                "stdin_bytes",
                "stdin_first4",
                "stdin_last_read");
        all(
                rules,
                d -> d.actual == null && d.scenario.name().endsWith(".request_key"),
                "describe_target_key",
                "keyctl_assume_authority",
                "read_reqkey_auth_callout");
        rules.put("fds", DifferenceRules::isOfLibc);
    }

    private static void all(Map<String, Rule> rules, Rule rule, String... names) {
        for (String name : names) {
            rules.put(name, rule);
        }
    }

    private static String text(String json) {
        return json == null ? "" : json.replaceAll("^\"|\"$", "");
    }

    private static long hex(String json) {
        return Long.parseUnsignedLong(text(json).replaceFirst("^0x", ""), 16);
    }

    /** A number as JSON, as a string if the other one is a string. */
    private static String quotedLike(String like, long number) {
        return like.startsWith("\"") ? "\"" + number + "\"" : Long.toString(number);
    }
}
