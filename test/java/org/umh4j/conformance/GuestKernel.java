// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.umh4j.support.Report;

/** The kernel of the guest: has it start helpers of its own, by its own ways and by the module umh_truth. */
final class GuestKernel {
    /**
     * What changes of a process all that its children could have of it, and executes what follows: the probe, by a name
     * under which it reports nothing.
     */
    static final List<String> ODD = List.of(
            "/tool", "umask", "63", "chdir", "/odd", "nice", "5", "policy", "3", "ioprio", "24576", "cpu", "1", "slack", "123456",
            "personality", "262144", "thp", "keyring", "odd", "ignore", "1", "ignore", "13", "block", "10", "block", "15",
            "rlimit", "1", "1073741824", "1073741824", "rlimit", "3", "2097152", "2097152", "rlimit", "4", "4096", "4096",
            "rlimit", "7", "600", "600", "descriptors", "5", "group", "7", "drop", "13", "drop", "21");

    private static final long PATIENCE_SECONDS = 30;
    private static final Path MODULE = Path.of("/proc/umh_truth");
    private static final Path MODPROBE = Path.of("/proc/sys/kernel/modprobe");
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");

    private final Programs programs;

    GuestKernel(Programs programs) throws IOException {
        this.programs = programs;
        for (String path : List.of("/probe", "/sbin/request-key", "/sbin/bridge-stp")) {
            programs.installed(path);
        }
        write(MODPROBE, "\n");
        write(Path.of("/cg1/release_agent"), "/probe");
    }

    /** What a helper reports that the kernel starts on a caller's behalf. */
    Report helper(String trigger, boolean oddCaller) throws IOException, InterruptedException {
        // Only now, or what the JVM itself happens to ask of the kernel would be answered by the probe.
        write(MODPROBE, trigger.equals("modprobe") ? "/probe" : "\n");
        write(CORE_PATTERN, trigger.equals("core") ? "|/probe %s %c" : "core");
        try {
            List<String> command = new ArrayList<>();
            if (oddCaller) {
                command.addAll(ODD);
                command.addAll(List.of("exec", "/trigger"));
            }
            command.addAll(List.of("/trigger", trigger));
            run(command);
            Report report = awaitReport(program(trigger));
            if (trigger.equals("bridge_stp")) {
                run(List.of("/trigger", "bridge_end"));
                awaitReport(program(trigger));
            }
            return report;
        } finally {
            write(MODPROBE, "\n");
            write(CORE_PATTERN, "core");
        }
    }

    private static String program(String trigger) {
        return switch (trigger) {
            case "request_key" -> "/sbin/request-key";
            case "bridge_stp" -> "/sbin/bridge-stp";
            default -> "/probe";
        };
    }

    private static Report awaitReport(String program) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        List<Report> reports = Programs.takeReports(program);
        while (reports.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(10);
            reports = Programs.takeReports(program);
        }
        if (reports.size() != 1) {
            throw new IOException(program + " has left " + reports.size() + " reports");
        }
        return reports.get(0);
    }

    /** What a helper reports that the module has the kernel start. */
    Report moduleHelper(int wait) throws IOException, InterruptedException {
        programs.does("/probe");
        command("call " + wait + " 0 std std path /probe");
        return awaitReport("/probe");
    }

    /** What the module answers to a call, as a recording has it. */
    CallReplay.Answer answer(Call call) throws IOException, InterruptedException {
        command("depth " + call.depth());
        programs.does("/probe", CallReplay.words(call.behaviour()));
        if (call.isInterrupted()) {
            interrupted(call);
        } else {
            command(call.command().forModule());
        }
        List<String> events = awaitEvents();
        command("depth 0");
        return new CallReplay.Answer(Call.normalised(events), CallReplay.helpers(programs, call));
    }

    /** The caller is killed while the helper runs, and the helper ends when it has been. */
    private void interrupted(Call call) throws IOException, InterruptedException {
        Path end = programs.place("/end");
        Files.deleteIfExists(end);
        programs.does("/probe", "await", end.toString(), "exit", "7");
        Process caller = start(List.of("/trigger", "write", MODULE.toString(), call.command().forModule()));
        CallReplay.awaitWhole(Path.of("/probe.reports"), 1);
        caller.destroyForcibly();
        if (call.command().isKillable()) {
            caller.waitFor();
        }
        Files.createFile(end);
        caller.waitFor();
    }

    /** Cleanup and the return are always said; which of them is last, the call decides. */
    private static List<String> awaitEvents() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        List<String> events = events();
        while ((events.stream().noneMatch(event -> event.startsWith("cleanup"))
                        || events.stream().noneMatch(event -> event.startsWith("returned")))
                && System.nanoTime() < deadline) {
            Thread.sleep(10);
            events = events();
        }
        return events;
    }

    private static List<String> events() throws IOException {
        return new String(Files.readAllBytes(MODULE)).lines().toList();
    }

    private static void command(String words) throws IOException, InterruptedException {
        run(List.of("/trigger", "write", MODULE.toString(), words));
    }

    /** A write that answers as write(2) does. */
    static void write(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.WRITE);
    }

    /** What write(2) answers: all of the text, or an errno. */
    static int writeAnswer(Path file, String text) throws IOException, InterruptedException {
        int errno = start(List.of("/trigger", "write", file.toString(), text)).waitFor();
        return errno == 0 ? text.length() : -errno;
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        int status = start(command).waitFor();
        if (status != 0) {
            throw new IOException(command + " ended with " + status);
        }
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
