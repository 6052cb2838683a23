// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.umh4j.support.Report;

/** Lets the kernel of the guest start helpers, by its own means and by the module umh_calls. */
final class GuestKernel {
    private static final long PATIENCE_SECONDS = 120;
    private static final Path MODULE = Path.of("/proc/umh_calls");
    private static final Path MODPROBE = Path.of("/proc/sys/kernel/modprobe");
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");

    private final Programs programs;
    private int depth;

    GuestKernel(Programs programs) throws IOException {
        this.programs = programs;
        for (String path : List.of("/probe", "/sbin/request-key", "/sbin/bridge-stp")) {
            programs.install(path);
        }
        write(MODPROBE, "\n");
        write(Path.of("/cg1/release_agent"), "/probe");
    }

    /** The report of a helper that the kernel starts for a caller. */
    Report helper(String trigger, boolean oddCaller) throws IOException, InterruptedException {
        // Not earlier, since the probe would otherwise also run for requests of the JVM itself.
        write(MODPROBE, trigger.equals("modprobe") ? "/probe" : "\n");
        write(CORE_PATTERN, trigger.equals("core") ? "|/probe %s %c" : "core");
        try {
            List<String> command = new ArrayList<>();
            if (oddCaller) {
                command.addAll(odd());
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

    /** The probe, by a name under which it reports nothing: becomes as odd as can be, and executes what follows. */
    private static List<String> odd() throws IOException {
        List<String> words = new ArrayList<>(List.of("/tool"));
        words.addAll(Setting.oddCommands());
        words.addAll(List.of("drop", "13", "drop", "21", "exec", "/trigger"));
        return words;
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
        List<Report> reports = Programs.removeReports(program);
        while (reports.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(10);
            reports = Programs.removeReports(program);
        }
        if (reports.size() != 1) {
            throw new IOException(program + " has left " + reports.size() + " reports");
        }
        return reports.get(0);
    }

    /** The report of a helper that the kernel starts for the module. */
    Report moduleHelper(int wait) throws IOException, InterruptedException {
        programs.setCommands("/probe");
        command("call " + wait + " 0 std std path /probe");
        return awaitReport("/probe");
    }

    /** The result of a call by the module, in the form of a recording. */
    CallReplay.Result result(Call call) throws IOException, InterruptedException {
        setDepth(call.depth());
        programs.setCommands("/probe", CallReplay.words(call.commands()));
        if (call.isInterrupted()) {
            interrupted(call);
        } else {
            command(call.command().forModule());
        }
        List<String> events = awaitEvents();
        setDepth(0);
        return new CallReplay.Result(call.ordered(events), CallReplay.helpers(programs, call));
    }

    private void setDepth(int wanted) throws IOException {
        if (wanted != depth) {
            command("depth " + wanted);
            depth = wanted;
        }
    }

    /** The caller is killed while the helper runs, and the helper ends when it has been. */
    private void interrupted(Call call) throws IOException, InterruptedException {
        Path end = programs.path("/end");
        Files.deleteIfExists(end);
        programs.setCommands("/probe", "await", end.toString(), "exit", "7");
        Process caller = start(
                List.of("/trigger", "write", MODULE.toString(), call.command().forModule()));
        CallReplay.awaitReports(Path.of("/probe.reports"), 1);
        caller.destroyForcibly();
        if (call.command().isKillable()) {
            caller.waitFor();
        }
        Files.createFile(end);
        caller.waitFor();
    }

    /** Waits for cleanup and return; the call decides which of them is last. */
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

    private static void command(String words) throws IOException {
        write(MODULE, words);
    }

    static void write(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.WRITE);
    }

    /** The result of one write(2): a count, or a negative errno. */
    static int writeResult(Path file, String text) throws IOException {
        return runTrigger("write", file, text);
    }

    /** The result of a write of so many blanks. */
    static int writeBlanks(Path file, int count) throws IOException {
        return runTrigger("blanks", file, Integer.toString(count));
    }

    private static int runTrigger(String how, Path file, String what) throws IOException {
        Process writer = new ProcessBuilder("/trigger", how, file.toString(), what).start();
        return Integer.parseInt(new String(writer.getInputStream().readAllBytes()).trim());
    }

    /** The result of the first read(2): a second one of a file below /proc/sys returns nothing. */
    static String read(Path file) throws IOException {
        byte[] content = new byte[4096];
        try (FileInputStream in = new FileInputStream(file.toFile())) {
            return new String(content, 0, Math.max(in.read(content), 0)).trim();
        }
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
