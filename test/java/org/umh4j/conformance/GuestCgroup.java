// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Report;
import org.umh4j.task.Limits;
import org.umh4j.task.Task;

/** Cgroups of version 2 with their controllers, which the hosts of the tests do not have. */
final class GuestCgroup {
    /** A group for a JVM. */
    static final Path LIMITED = Path.of("/sys/fs/cgroup/limited");

    private static final Path ROOT = Path.of("/sys/fs/cgroup");
    private static final Path GROUP = ROOT.resolve("group");
    private static final String PROBE = "/probe";

    /**
     * Files of a cgroup with their values, and the result of a helper that is started in it.
     *
     * @param does commands of the helper
     * @param tells a line of memory.events that is part of the result, or an empty string
     */
    record Case(String name, List<String> files, List<String> does, String tells, String expected) {
        String found(Programs programs) throws IOException, InterruptedException {
            programs.setCommands(PROBE, does.toArray(String[]::new));
            Files.createDirectory(GROUP);
            try {
                return name.equals(OWN) ? ownLimit() : born();
            } finally {
                Files.delete(GROUP);
            }
        }

        private String born() throws IOException, InterruptedException {
            for (int i = 0; i < files.size(); i += 2) {
                GuestKernel.write(GROUP.resolve(files.get(i)), files.get(i + 1));
            }
            String outcome = outcome(Limits.defaults().cgroup(GROUP.toString()));
            return tells.isEmpty() ? outcome : outcome + ", " + event(tells);
        }
    }

    private static final String OWN = "the JVM's own pids.max used up, then raised";

    static final List<Case> CASES = List.of(
            born("no limit", "exit code 0, cpus [0,1]"),
            born("cpu.max of 1 ms in 100", "exit code 0, cpus [0,1]", "cpu.max", "1000 100000"),
            born("cpuset.cpus = 1", "exit code 0, cpus [1]", "cpuset.cpus", "1"),
            born("pids.max = 0", "CLONE EAGAIN", "pids.max", "0"),
            born(OWN, "CLONE EAGAIN, then exit code 0, cpus [0,1]"),
            new Case(
                    "memory.max = 16M, of which it wants 64",
                    List.of("memory.max", "16M"),
                    List.of("take", "64"),
                    "oom_kill ",
                    "killed by SIGKILL, oom_kill 1"),
            born("memory.max = 0", "KILLED EINTR", "memory.max", "0"),
            born("frozen", "CGROUP EBUSY", "cgroup.freeze", "1"),
            born("threaded", "exit code 0, cpus [0,1]", "cgroup.type", "threaded"),
            born("controllers given to groups below", "CGROUP EBUSY", "cgroup.subtree_control", "+memory"));

    private GuestCgroup() {}

    private static Case born(String name, String expected, String... files) {
        return new Case(name, List.of(files), List.of(), "", expected);
    }

    /** To the groups below the root; and makes the one for a JVM. */
    static void enableControllers() throws IOException {
        GuestKernel.write(ROOT.resolve("cgroup.subtree_control"), "+memory +pids +cpu +cpuset");
        Files.createDirectory(LIMITED);
        GuestKernel.write(LIMITED.resolve("cpuset.cpus"), "1");
        GuestKernel.write(LIMITED.resolve("memory.max"), "700M");
        GuestKernel.write(LIMITED.resolve("pids.max"), "100");
        GuestKernel.write(LIMITED.resolve("cpu.max"), "90000 100000");
    }

    /** With the whole JVM in the group. */
    private static String ownLimit() throws IOException, InterruptedException {
        GuestKernel.write(GROUP.resolve("cgroup.procs"), "0");
        try {
            GuestKernel.write(GROUP.resolve("pids.max"), GuestKernel.read(GROUP.resolve("pids.current")));
            String before = outcome(Limits.defaults());
            GuestKernel.write(GROUP.resolve("pids.max"), "max");
            return before + ", then " + outcome(Limits.defaults());
        } finally {
            GuestKernel.write(ROOT.resolve("cgroup.procs"), "0");
        }
    }

    /** How it ended, and which cpus it had; or where it failed. */
    private static String outcome(Limits limits) throws IOException, InterruptedException {
        SubprocessInfo info = SubprocessInfo.of(PROBE, new String[] {PROBE}, null)
                .task(Task.defaults().limits(limits));
        try (Helper helper = UsermodeHelper.start(info)) {
            String end = helper.waitFor().toString();
            List<Report> reports = Programs.removeReports(PROBE);
            return reports.isEmpty() || !helper.waitFor().success()
                    ? end
                    : end + ", cpus " + reports.get(0).get("cpu_affinity");
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    /** A line of memory.events. */
    private static String event(String beginning) throws IOException {
        return Files.readAllLines(GROUP.resolve("memory.events")).stream()
                .filter(line -> line.startsWith(beginning))
                .collect(Collectors.joining());
    }
}
