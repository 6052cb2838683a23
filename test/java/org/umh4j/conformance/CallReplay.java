// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.umh4j.HelperGate;
import org.umh4j.InitException;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.ProbeProgram;

/** Makes a recorded call again, by {@link UsermodeHelper#exec}: the same program, arguments, wait mode, init. */
public final class CallReplay {
    private static final long PATIENCE_SECONDS = 120;
    private static final String PROBE = "/probe";

    private final Programs programs;

    /** The result of a call. */
    public record Result(List<String> events, int helpers) {
        /** Whether the result must equal the kernel's. */
        static boolean equalsKernel(Call call) {
            return recorded(call).equals(expected(call));
        }

        /** The kernel's result with the documented difference: a killed caller of the kernel sees no result. */
        public static Result expected(Call call) {
            return expected(recorded(call));
        }

        static Result expected(Result kernels) {
            List<String> events = new ArrayList<>(kernels.events);
            events.replaceAll(event -> event.equals("returned(-512)") ? "returned(-4)" : event);
            return new Result(events, kernels.helpers);
        }

        /** The result of the kernel's caller. */
        static Result recorded(Call call) {
            return new Result(call.events(), call.helpers());
        }
    }

    public CallReplay(Programs programs) throws IOException {
        this.programs = programs;
        installPrograms();
    }

    public CallReplay() throws IOException {
        this(Programs.inTestDirectory());
    }

    /** Installs one program of each kind that execve(2) refuses. */
    private void installPrograms() throws IOException {
        String probe = programs.install(PROBE);
        Files.createDirectories(programs.path("/h/dir"));
        byte[] image = Files.readAllBytes(Path.of(ProbeProgram.path()));
        install("noexec", image, "rw-r--r--");
        byte[] otherArchitecture = image.clone();
        otherArchitecture[18] = (byte) 0xb7; // e_machine: AArch64
        install("badarch", otherArchitecture, "rwxr-xr-x");
        byte[] badElf = new byte[200];
        System.arraycopy(image, 0, badElf, 0, 4);
        install("badelf", badElf, "rwxr-xr-x");
        install("text", "echo hello\n".getBytes(), "rwxr-xr-x");
        install("empty", new byte[0], "rwxr-xr-x");
        install("script_missing", "#!/no/such/interpreter\n".getBytes(), "rwxr-xr-x");
        install("script_ok", ("#!" + probe + " arg one\n").getBytes(), "rwxr-xr-x");
        Files.createDirectories(programs.path("/h/script_ok.reports"));
    }

    private void install(String name, byte[] content, String mode) throws IOException {
        Path program = programs.path("/h/" + name);
        Files.deleteIfExists(program);
        Files.write(program, content);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString(mode));
    }

    /** Makes the call by umh4j. */
    public Result result(Call call) throws IOException, InterruptedException {
        HelperGate.setDisableDepth(HelperGate.Depth.values()[call.depth()]);
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch cleaned = new CountDownLatch(1);
        SubprocessInfo info = info(call, events, cleaned);
        if (call.isInterrupted()) {
            interrupted(call, info, events);
        } else {
            programs.setCommands(PROBE, words(call.commands()));
            events.add("returned("
                    + UsermodeHelper.exec(info, new UmhWait(call.command().waitFlags())) + ")");
        }
        if (!cleaned.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(call + ": no cleanup");
        }
        HelperGate.enable();
        return new Result(call.ordered(List.copyOf(events)), helpers(programs, call));
    }

    static String[] words(String commands) {
        return commands.isEmpty()
                ? new String[0]
                : commands.replace("signal", "kill").split(" ");
    }

    private SubprocessInfo info(Call call, List<String> events, CountDownLatch cleaned) throws IOException {
        Call.Command command = call.command();
        SubprocessInfo info = SubprocessInfo.of(path(command), argv(command), envp(command))
                .cleanup(i -> {
                    events.add("cleanup(" + i.retval() + ")");
                    cleaned.countDown();
                });
        if (command.hasInit()) {
            info.init((i, cred) -> {
                events.add("init");
                if (command.initret() != 0) {
                    throw new InitException(command.initret());
                }
                return cred;
            });
        }
        return info;
    }

    /** Interrupts the caller while the helper runs; then the helper exits. */
    private void interrupted(Call call, SubprocessInfo info, List<String> events)
            throws IOException, InterruptedException {
        Path end = programs.path("/end");
        Files.deleteIfExists(end);
        programs.setCommands(PROBE, "await", end.toString(), "exit", "7");
        Thread caller = new Thread(() -> events.add("returned("
                + UsermodeHelper.exec(info, new UmhWait(call.command().waitFlags())) + ")"));
        caller.start();
        awaitReports(Path.of(programs.path(PROBE) + ".reports"), 1);
        caller.interrupt();
        if (call.command().isKillable()) {
            caller.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        }
        Files.createFile(end);
        caller.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
    }

    /** Waits for the reports of the helpers that ran, deletes and counts them. */
    static int helpers(Programs programs, Call call) throws IOException, InterruptedException {
        String script = "/h/script_ok";
        String program = programs.path(call.command().path().equals(script) ? script : PROBE)
                .toString();
        awaitReports(Path.of(program + ".reports"), call.helpers());
        return Programs.removeReports(program).size();
    }

    /** Waits until a directory has so many complete reports. */
    static void awaitReports(Path directory, int count) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (countReports(directory) < count && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
    }

    private static int countReports(Path directory) throws IOException {
        int count = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*[0-9]")) {
            for (Path ignored : files) {
                count++;
            }
        }
        return count;
    }

    private String path(Call.Command command) {
        return switch (command.kind()) {
            case "null" -> null;
            case "emptystr" -> "";
            default ->
                command.path().startsWith("/")
                        ? programs.path(command.path()).toString()
                        : programs.path("/" + command.path()).toString().substring(1);
        };
    }

    private String[] argv(Call.Command command) {
        return switch (command.argv()) {
            case "null" -> null;
            case "empty" -> new String[0];
            default -> new String[] {command.path(), "one", "two words", ""};
        };
    }

    private static String[] envp(Call.Command command) {
        return switch (command.envp()) {
            case "null" -> null;
            case "empty" -> new String[0];
            default -> new String[] {"HOME=/", "X=1 2"};
        };
    }
}
