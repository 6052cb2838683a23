// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.umh4j.CapabilitySet;
import org.umh4j.Files;
import org.umh4j.HelperPaths;
import org.umh4j.OpenFlag;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhStage;
import org.umh4j.UmhSysctl;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a helper is born with: the options that {@code exec} and {@code probe} share. */
final class HelperOptions {
    /**
     * The descriptors of 0 to 2 that were closed when umh was started. The script passes them, and keeps their numbers
     * reserved.
     */
    private static final Set<String> CLOSED = Set.of(System.getProperty("org.umh4j.cli.closed", "").split(","));

    @Option(
            names = "--kernel",
            description = "Exactly as the kernel does: no descriptors, and the environment that modprobe gets.")
    boolean kernel;

    @Option(names = "--argv0", paramLabel = "S", description = "The first argument; by default the path.")
    @Nullable String argv0;

    @Option(
            names = "--env",
            paramLabel = "N=V",
            description = "Sets a variable of the helper's environment, which is empty otherwise. Repeatable.")
    List<String> env = new ArrayList<>();

    @Option(names = "--env-inherit", description = "Begins with the environment of umh itself.")
    boolean envInherit;

    @Option(names = "--stdin", paramLabel = "SOURCE", description = "inherit (default), null, none, or a file to read.")
    @Nullable String stdin;

    @Option(names = "--stdout", paramLabel = "SOURCE", description = "inherit (default), null, none, or a file to write.")
    @Nullable String stdout;

    @Option(names = "--stderr", paramLabel = "SOURCE", description = "inherit (default), null, none, or a file to write.")
    @Nullable String stderr;

    @Option(
            names = "--fd",
            paramLabel = "N=SOURCE",
            description = "Descriptor N: inherit:M (umh's own M), null, read:FILE, write:FILE or append:FILE (creates it),"
                    + " or an existing FILE, opened to read and write. Repeatable.")
    Map<Integer, String> fds = new LinkedHashMap<>();

    @Option(
            names = "--bset",
            paramLabel = "CAPS",
            description = "The policy: what no helper may have in its bounding set. A list such as cap_chown,cap_kill,"
                    + " all, none, or hexadecimal.")
    @Nullable String bset;

    @Option(names = "--inheritable", paramLabel = "CAPS", description = "The policy for the inheritable set.")
    @Nullable String inheritable;

    @Option(names = "--allow", paramLabel = "PATH", description = "The policy: this program may be started, and no other that"
            + " is not allowed in the same way. Repeatable.")
    List<String> allowed = new ArrayList<>();

    @Option(names = "--static-helper", paramLabel = "PATH", description = "The policy: this program is executed instead of the"
            + " one that is named; an empty path makes umh do nothing.")
    @Nullable String staticHelper;

    @Option(names = "--may-leave", paramLabel = "STAGE,STAGE", split = ",", description = "Steps that the host may refuse,"
            + " such as nice or keyring: the helper starts without them, and umh prints no warning.")
    private String[] left = {};

    @Option(names = "--must-apply", paramLabel = "STAGE,STAGE|all", split = ",", description = "Steps that must"
            + " be applied even if no option asks for them.")
    private String[] insisted = {};

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
        SubprocessInfo info = SubprocessInfo.of(Words.bytes(path, "path"), Words.bytes(argv, "argument"), environment())
                .files(files());
        into(info);
        return info;
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
            HelperPaths.mediateBy(staticHelper);
        }
    }

    /** All but the program and the descriptors. */
    void into(SubprocessInfo info) throws IOException {
        info.cred(cred.cred())
                .fs(task.fs())
                .limits(task.limits())
                .sched(task.sched())
                .signals(task.signals())
                .session(task.session())
                .namespaces(confinement.namespaces())
                .sandbox(confinement.sandbox());
        task.personality(info);
        info.mayLeave(Arrays.stream(left).map(HelperOptions::stage).toArray(UmhStage[]::new));
        if (insisted.length > 0) {
            boolean all = List.of(insisted).equals(List.of("all"));
            info.mustApply(all ? new UmhStage[0] : Arrays.stream(insisted).map(HelperOptions::stage).toArray(UmhStage[]::new));
        }
    }

    private static UmhStage stage(String name) {
        for (UmhStage stage : UmhStage.values()) {
            if (stage.name().equalsIgnoreCase(name.replace('-', '_'))) {
                return stage;
            }
        }
        throw new IllegalArgumentException("no stage '" + name + "'");
    }

    /** Lists on standard error the steps that were not applied, without those of --may-leave. */
    void warn(SubprocessInfo info) {
        Set<UmhStage> kept = EnumSet.noneOf(UmhStage.class);
        kept.addAll(info.kept());
        Arrays.stream(left).map(HelperOptions::stage).forEach(kept::remove);
        if (!kept.isEmpty()) {
            System.err.println("umh: " + info.path() + ": not applied, as umh itself has it: " + kept);
        }
    }

    byte[][] environment() {
        List<byte[]> variables = new ArrayList<>();
        if (envInherit) {
            variables.addAll(Words.environment());
        } else if (kernel) {
            variables.addAll(List.of(Words.bytes(List.of(UsermodeHelper.kernelEnvironment()), "environment")));
        }
        for (String variable : env) {
            int equals = variable.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("--env " + variable + ": write NAME=VALUE");
            }
            byte[] name = Words.bytes(variable.substring(0, equals + 1), "--env");
            variables.removeIf(other -> Arrays.equals(other, 0, Math.min(name.length, other.length), name, 0, name.length));
            variables.add(Words.bytes(variable, "--env"));
        }
        return variables.toArray(byte[][]::new);
    }

    Files files() {
        return files(kernel ? "none" : "inherit");
    }

    /** Where nothing is said of 0 to 2 they are the usual. */
    Files files(String usual) {
        Files files = standard(Files.none(), 0, stdin == null ? usual : stdin);
        files = standard(files, 1, stdout == null ? usual : stdout);
        files = standard(files, 2, stderr == null ? usual : stderr);
        for (Map.Entry<Integer, String> fd : fds.entrySet()) {
            files = numbered(files, fd.getKey(), fd.getValue());
        }
        return files;
    }

    private static Files standard(Files files, int target, String source) {
        return switch (source) {
            case "inherit" -> inherited(files, target, target);
            case "null" -> files.devNull(target);
            case "none" -> files.without(target);
            default -> open(files, target, target == 0 ? "read" : "write", source);
        };
    }

    private static Files numbered(Files files, int target, String source) {
        String[] parts = source.split(":", 2);
        return switch (parts.length == 1 && !source.contains("/") ? source : parts[0] + ":") {
            case "inherit" -> inherited(files, target, target);
            case "inherit:" -> inherited(files, target, Numbers.integer(parts[1]));
            case "null" -> files.devNull(target);
            case "none" -> files.without(target);
            case "read:", "write:", "append:" -> open(files, target, parts[0], parts[1]);
            default -> open(files, target, "both", source);
        };
    }

    /** Only {@code write:} and {@code append:} create the file, like a shell's {@code >} and {@code >>}. */
    private static Files open(Files files, int target, String access, String path) {
        OpenFlag[] flags = switch (access) {
            case "read" -> new OpenFlag[] {OpenFlag.READ};
            case "write" -> new OpenFlag[] {OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.TRUNCATE};
            case "append" -> new OpenFlag[] {OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.APPEND};
            default -> new OpenFlag[] {OpenFlag.READ_WRITE};
        };
        return files.open(target, Words.bytes(path, "path"), flags);
    }

    /** A descriptor that was closed in umh is closed in the helper. In the JVM another file has its number. */
    private static Files inherited(Files files, int target, int source) {
        return CLOSED.contains(Integer.toString(source)) ? files.without(target) : files.inherit(target, source);
    }
}
