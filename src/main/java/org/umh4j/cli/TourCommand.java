// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.umh4j.HelperProbe;
import org.umh4j.JvmPrivileges;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhSysctl;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;
import picocli.CommandLine.Command;

/** {@code umh tour}: starts some helpers on this host and prints their results and attributes. */
@Command(
        name = "tour",
        description = "Starts some helpers, and prints the attributes of the JVM and of a helper side by side.",
        mixinStandardHelpOptions = true)
final class TourCommand implements Callable<Integer> {
    private static final int WIDTH = 34;
    private static final CapabilitySet TWO =
            CapabilitySet.of(Capability.CAP_NET_ADMIN, Capability.CAP_NET_BIND_SERVICE);
    private static final List<String> COMPARED = List.of(
            "uids_ruid_euid_suid",
            "groups",
            "status.CapInh",
            "status.CapPrm",
            "status.CapEff",
            "status.CapBnd",
            "status.CapAmb",
            "securebits",
            "no_new_privs",
            "status.Umask",
            "cwd",
            "pgrp",
            "sid",
            "fds",
            "status.SigIgn",
            "status.SigCgt",
            "status.SigBlk",
            "nice",
            "cpu_affinity",
            "timerslack_ns",
            "oom_score_adj",
            "coredump_filter",
            "rlimits.NOFILE",
            "rlimits.CORE",
            "keyrings.session",
            "envp");
    /** The lines for a user without privilege. */
    private static final String AS_ROOT = """

            # As root the same helper
            obeys a policy      CapPrm, CapEff and CapBnd are 0000000000001400 if bset permits two capabilities
            has another user    ./umh exec --uid nobody --gid nogroup /usr/bin/id
            has less privilege  ./umh exec --bset cap_net_admin /bin/grep Cap /proc/self/status
            has a new network   ./umh exec --unshare net /bin/cat /proc/net/dev
            sudo ./umh tour runs these; ./umh doctor lists the attributes that need privilege on this host.""";

    @Override
    public Integer call() throws Exception {
        call("The identity: that of the JVM", "/usr/bin/id");
        call("The time: the environment has no TZ, so the time zone is the host's", "/bin/date");
        call("A program that does not exist", "/no/such/program");
        call("A directory in place of a program", "/usr");
        call("An exit code: the kernel's result is the code times 256", "/bin/sh", "-c", "exit 3");
        call("A signal: the kernel's result is its number", "/bin/sh", "-c", "kill -9 $$");
        call("An empty path: a successful no-op", "");
        compare();
        return 0;
    }

    private static void call(String title, String path, String... arguments) {
        String[] argv = new String[arguments.length + 1];
        argv[0] = path.isEmpty() ? "(none)" : path.substring(path.lastIndexOf('/') + 1);
        System.arraycopy(arguments, 0, argv, 1, arguments.length);
        System.out.println("# " + title);
        System.out.println("$ " + path + " " + String.join(" ", arguments));
        System.out.flush();
        SubprocessInfo info = SubprocessInfo.of(path, argv, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults().descriptors(Descriptors.inheritIO()));
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        System.out.println("= " + retval + "  " + meaning(info, retval));
        System.out.println();
    }

    private static String meaning(SubprocessInfo info, int retval) {
        if (retval < 0) {
            return info.failure().map(Throwable::getMessage).orElse("-" + Errno.name(-retval));
        }
        return info.pid() == 0 ? "nothing was started" : new WaitStatus(retval).toString();
    }

    /** Prints the attributes of the JVM and of a helper. With CAP_SETPCAP the policy permits two capabilities. */
    private static void compare() throws IOException, InterruptedException {
        boolean privileged = JvmPrivileges.effective().contains(Capability.CAP_SETPCAP);
        if (privileged) {
            System.out.println("# The attributes of a helper under the policy bset = " + TWO);
            UmhSysctl.narrowBset(TWO);
        } else {
            System.out.println("# The attributes of a helper of a user without privilege");
        }
        try (HelperProbe probe = HelperProbe.install()) {
            Map<String, Object> jvm = reportOfJvm(probe);
            String report = probe.report(Task.defaults(), UsermodeHelper.kernelEnvironment());
            Map<String, Object> helper = Json.object(report);
            row("", "JVM", "helper");
            for (String name : COMPARED) {
                row(name, text(value(jvm, name)), text(value(helper, name)));
            }
        }
        if (!privileged) {
            System.out.println(AS_ROOT);
        }
    }

    /**
     * Returns the attributes of the JVM. A child of ProcessBuilder reports them, because it inherits all but the
     * descriptors.
     */
    private static Map<String, Object> reportOfJvm(HelperProbe probe) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(probe.path(), "--fd", "1").start();
        String report = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (child.waitFor() != 0) {
            throw new IOException("the probe ended with " + child.exitValue());
        }
        Map<String, Object> state = Json.object(report);
        String[] descriptors = new File("/proc/self/fd").list();
        state.put("fds", descriptors == null ? List.of() : List.of(descriptors));
        return state;
    }

    private static @Nullable Object value(Map<String, Object> report, String name) {
        Object value = report;
        for (String part : name.split("\\.")) {
            value = value instanceof Map<?, ?> map ? map.get(part) : null;
        }
        return value;
    }

    /** Returns a value as text of at most {@link #WIDTH} characters. A long list is reduced to its size. */
    private static String text(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return text(map.get("describe_by_spec"));
        }
        String text = String.valueOf(value);
        if (text.length() <= WIDTH) {
            return text;
        }
        return value instanceof List<?> list && !list.isEmpty() ? list.size() + " elements" : text.substring(0, WIDTH);
    }

    private static void row(String name, String jvm, String helper) {
        System.out.printf("%-20s %-" + WIDTH + "s %s%n", name, jvm, helper);
    }
}
