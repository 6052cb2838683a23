// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.HelperPaths;
import org.umh4j.HelperProbe;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhSysctl;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a helper is born with: the options that {@code exec} and {@code probe} share. */
final class HelperOptions {
    /**
     * The descriptors of 0 to 2 that were closed when umh was started. The script passes them, and keeps their numbers
     * reserved.
     */
    private static final Set<String> CLOSED =
            Set.of(System.getProperty("org.umh4j.cli.closed", "").split(","));

    @Option(
            names = "--kernel",
            description = "Exactly as the kernel does: no descriptors, and the environment that modprobe gets.")
    boolean kernel;

    @Option(names = "--argv0", paramLabel = "S", description = "The first argument; by default the path.")
    @Nullable
    String argv0;

    @Option(
            names = "--env",
            paramLabel = "N=V",
            description = "Sets a variable of the helper's environment, which is empty otherwise. Repeatable.")
    List<String> env = new ArrayList<>();

    @Option(names = "--env-inherit", description = "Begins with the environment of umh itself.")
    boolean envInherit;

    @Option(names = "--stdin", paramLabel = "SOURCE", description = "inherit (default), null, none, or a file to read.")
    @Nullable
    String stdin;

    @Option(
            names = "--stdout",
            paramLabel = "SOURCE",
            description = "inherit (default), null, none, or a file to write.")
    @Nullable
    String stdout;

    @Option(
            names = "--stderr",
            paramLabel = "SOURCE",
            description = "inherit (default), null, none, or a file to write.")
    @Nullable
    String stderr;

    @Option(
            names = "--fd",
            paramLabel = "N=SOURCE",
            description =
                    "Descriptor N: inherit:M (umh's own M), null, read:FILE, write:FILE or append:FILE (creates it),"
                            + " or an existing FILE, opened to read and write. Repeatable.")
    Map<Integer, String> fds = new LinkedHashMap<>();

    @Option(
            names = "--bset",
            paramLabel = "CAPS",
            description = "The policy: what no helper may have in its bounding set. A list such as cap_chown,cap_kill,"
                    + " all, none, or hexadecimal.")
    @Nullable
    String bset;

    @Option(names = "--inheritable", paramLabel = "CAPS", description = "The policy for the inheritable set.")
    @Nullable
    String inheritable;

    @Option(
            names = "--allow",
            paramLabel = "PATH",
            description = "The policy: this program may be started, and no other that"
                    + " is not allowed in the same way. Repeatable.")
    List<String> allowed = new ArrayList<>();

    @Option(
            names = "--static-helper",
            paramLabel = "PATH",
            description = "The policy: this program is executed instead of the"
                    + " one that is named; an empty path makes umh do nothing.")
    @Nullable
    String staticHelper;

    @Option(
            names = "--allow-unapplied",
            paramLabel = "STAGE,STAGE",
            split = ",",
            description = "Steps that the host may refuse,"
                    + " such as nice or keyring: the helper starts without them, and umh prints no warning.")
    private String[] unappliedAllowed = {};

    @Option(
            names = "--require-applied",
            paramLabel = "STAGE,STAGE|all",
            split = ",",
            description = "Steps that must" + " be applied even if no option asks for them.")
    private String[] appliedRequired = {};

    @Mixin
    private CredOptions cred = new CredOptions();

    @Mixin
    private TaskOptions task = new TaskOptions();

    @Mixin
    private ConfinementOptions confinement = new ConfinementOptions();

    /** Sets the call up, under the policy of this process. */
    SubprocessInfo setUp(String path, List<String> arguments) throws IOException {
        List<String> argv = new ArrayList<>();
        argv.add(argv0 != null ? argv0 : path);
        argv.addAll(arguments);
        narrowPolicy();
        return SubprocessInfo.of(
                        CommandLineBytes.bytes(path, "path"), CommandLineBytes.bytes(argv, "argument"), environment())
                .task(task().descriptors(descriptors()));
    }

    /** Returns the report of a helper with these options, as JSON. */
    String report(HelperProbe probe) throws IOException, InterruptedException {
        narrowPolicy();
        byte[] first = CommandLineBytes.bytes(argv0 != null ? argv0 : probe.path(), "argument");
        return probe.report(task().descriptors(descriptors()), first, List.of(environment()));
    }

    void narrowPolicy() {
        if (bset != null) {
            UmhSysctl.narrowBset(CapabilitySet.parse(bset));
        }
        if (inheritable != null) {
            UmhSysctl.narrowInheritable(CapabilitySet.parse(inheritable));
        }
        if (!allowed.isEmpty()) {
            HelperPaths.allowOnly(allowed.toArray(String[]::new));
        }
        if (staticHelper != null) {
            HelperPaths.redirectAllTo(staticHelper);
        }
    }

    /** All that the helper is born with but its descriptors. */
    Task task() throws IOException {
        Task all = task.task()
                .cred(cred.cred())
                .namespaces(confinement.namespaces())
                .sandbox(confinement.sandbox())
                .allowUnapplied(Arrays.stream(unappliedAllowed)
                        .map(HelperOptions::stage)
                        .toArray(UmhStage[]::new));
        if (appliedRequired.length == 0) {
            return all;
        }
        boolean every = List.of(appliedRequired).equals(List.of("all"));
        return all.requireApplied(
                every
                        ? new UmhStage[0]
                        : Arrays.stream(appliedRequired)
                                .map(HelperOptions::stage)
                                .toArray(UmhStage[]::new));
    }

    private static UmhStage stage(String name) {
        for (UmhStage stage : UmhStage.values()) {
            if (stage.name().equalsIgnoreCase(name.replace('-', '_'))) {
                return stage;
            }
        }
        throw new IllegalArgumentException("no stage '" + name + "'");
    }

    /** Lists on standard error the steps that were not applied, without those of --allow-unapplied. */
    void warn(SubprocessInfo info) {
        Set<UmhStage> unapplied = EnumSet.noneOf(UmhStage.class);
        unapplied.addAll(info.unapplied());
        Arrays.stream(unappliedAllowed).map(HelperOptions::stage).forEach(unapplied::remove);
        if (!unapplied.isEmpty()) {
            System.err.println("umh: " + info.path() + ": not applied, as umh itself has it: " + unapplied);
        }
    }

    byte[][] environment() {
        List<byte[]> variables = new ArrayList<>();
        if (envInherit) {
            variables.addAll(CommandLineBytes.environment());
        } else if (kernel) {
            variables.addAll(
                    List.of(CommandLineBytes.bytes(List.of(UsermodeHelper.kernelEnvironment()), "environment")));
        }
        for (String variable : env) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("--env " + variable + ": write NAME=VALUE");
            }
            byte[] name = CommandLineBytes.bytes(variable.substring(0, equals + 1), "--env");
            variables.removeIf(
                    other -> Arrays.equals(other, 0, Math.min(name.length, other.length), name, 0, name.length));
            variables.add(CommandLineBytes.bytes(variable, "--env"));
        }
        return variables.toArray(byte[][]::new);
    }

    Descriptors descriptors() {
        return descriptors(kernel ? "none" : "inherit");
    }

    /** Where nothing is said of 0 to 2 they are the usual. */
    Descriptors descriptors(String usual) {
        Descriptors files = standard(Descriptors.none(), 0, stdin == null ? usual : stdin);
        files = standard(files, 1, stdout == null ? usual : stdout);
        files = standard(files, 2, stderr == null ? usual : stderr);
        for (Map.Entry<Integer, String> fd : fds.entrySet()) {
            files = numbered(files, fd.getKey(), fd.getValue());
        }
        return files;
    }

    private static Descriptors standard(Descriptors files, int target, String source) {
        return switch (source) {
            case "inherit" -> inherited(files, target, target);
            case "null" -> files.devNull(target);
            case "none" -> files.without(target);
            default -> open(files, target, target == 0 ? "read" : "write", source);
        };
    }

    private static Descriptors numbered(Descriptors files, int target, String source) {
        String[] parts = source.split(":", 2);
        return switch (parts.length == 1 && !source.contains("/") ? source : parts[0] + ":") {
            case "inherit" -> inherited(files, target, target);
            case "inherit:" -> inherited(files, target, NumberParser.integer(parts[1]));
            case "null" -> files.devNull(target);
            case "none" -> files.without(target);
            case "read:", "write:", "append:" -> open(files, target, parts[0], parts[1]);
            default -> open(files, target, "both", source);
        };
    }

    /** Only {@code write:} and {@code append:} create the file, like a shell's {@code >} and {@code >>}. */
    private static Descriptors open(Descriptors files, int target, String access, String path) {
        OpenOption[] options = switch (access) {
            case "read" -> new OpenOption[] {StandardOpenOption.READ};
            case "write" ->
                new OpenOption[] {
                    StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING
                };
            case "append" ->
                new OpenOption[] {StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.APPEND};
            default -> new OpenOption[] {StandardOpenOption.READ, StandardOpenOption.WRITE};
        };
        return files.open(target, CommandLineBytes.bytes(path, "path"), options);
    }

    /** A descriptor that was closed in umh is closed in the helper. In the JVM another file has its number. */
    private static Descriptors inherited(Descriptors files, int target, int source) {
        return CLOSED.contains(Integer.toString(source)) ? files.without(target) : files.inherit(target, source);
    }
}
