// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another JVM with the same class path, for what must be odd from its start or must not happen to this one. */
public final class Jvm {
    /** Longer if the CPU is emulated. */
    private static final Duration LIMIT = Duration.ofSeconds(Long.getLong("test.jvm.seconds", 120));

    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>(List.of("-Xmx256m", "-Xshare:auto", "-XX:-UsePerfData"));
    private final List<String> environment = new ArrayList<>();
    private Duration limit = LIMIT;
    private boolean nativeAccess = true;
    private String classPath = System.getProperty("java.class.path");

    /** The output and exit status of a JVM. */
    public record Outcome(int exitCode, String out, String err) {
        /** Standard output, if it ended well. */
        public String requireSuccess() {
            if (exitCode != 0) {
                throw new AssertionError("the JVM ended with " + exitCode + "\n" + out + "\n" + err);
            }
            return out;
        }
    }

    /** A command that runs the JVM as its argument: taskset, setpriv, prlimit, strace. */
    public Jvm under(String... command) {
        before.addAll(0, List.of(command));
        return this;
    }

    /** Shell commands that are executed before the JVM takes the shell's place. */
    public Jvm after(String shell) {
        return under("/bin/sh", "-c", shell + "; exec \"$0\" \"$@\"");
    }

    /** In a mount namespace where this directory, the JVM's for temporary files, is mounted noexec. */
    public Jvm withNoexecTmpdir(Path directory) {
        return after("mount -t tmpfs -o noexec,mode=0700 none " + directory)
                .under("unshare", "--mount")
                .option("-Djava.io.tmpdir=" + directory);
    }

    /** On a host without /proc. The java command finds its libraries through /proc, so LD_LIBRARY_PATH names them. */
    public Jvm withoutProc() {
        return after("while umount -l /proc 2>/dev/null; do :; done")
                .under("unshare", "--mount")
                .variable("LD_LIBRARY_PATH=" + System.getProperty("java.home") + "/lib");
    }

    /** How long it may run, where that is not as long as usual. */
    public Jvm limit(Duration duration) {
        limit = duration;
        return this;
    }

    public Jvm option(String... jvmOptions) {
        options.addAll(List.of(jvmOptions));
        return this;
    }

    /** Not told that native code may be loaded. */
    public Jvm withoutNativeAccess() {
        nativeAccess = false;
        return this;
    }

    /** A short run needs neither the second compiler nor a collector with threads. */
    public Jvm shortLived() {
        return option("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
    }

    public Jvm variable(String assignment) {
        environment.add(assignment);
        return this;
    }

    /** With the class path in a place where every user may read it. */
    public Jvm readableByAll() throws IOException {
        classPath = ClassPath.readableByAll();
        return this;
    }

    /** Runs the JVM as uid 65534. */
    public Jvm asNobody() throws IOException {
        return readableByAll().under("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
    }

    /** Runs a main class to its end. */
    public Outcome run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("jvm", ".out");
        Path err = Files.createTempFile("jvm", ".err");
        try {
            Process process = start(main, out, err, arguments);
            if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("the JVM hangs\n" + Files.readString(out) + "\n" + Files.readString(err));
            }
            return new Outcome(process.exitValue(), read(out), read(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private Process start(Class<?> main, Path out, Path err, String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command(main, arguments));
        for (String variable : environment) {
            int equals = variable.indexOf('=');
            builder.environment().put(variable.substring(0, equals), variable.substring(equals + 1));
        }
        return builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    }

    /** The command line, for tests that start it themselves. */
    public List<String> command(Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(before);
        command.add(System.getProperty("java.home") + "/bin/java");
        if (nativeAccess && Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
