// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.UsermodeHelper;
import org.umh4j.task.Task;
import picocli.CommandLine.Option;

/** The options for the first argument, the environment and the personality. */
final class CallOptions {
    @Option(
            names = "--kernel",
            description = "Does exactly what the kernel does for its helpers: no open descriptors, and the environment"
                    + " of modprobe.")
    boolean kernel;

    @Option(names = "--argv0", paramLabel = "S", description = "The first argument. Default: the path.")
    @Nullable
    String argv0;

    @Option(
            names = "--env",
            paramLabel = "N=V",
            converter = VariableConverter.class,
            description = "Sets an environment variable. Without this option the environment is empty. Repeatable.")
    private List<String> variables = new ArrayList<>();

    @Option(names = "--env-inherit", description = "Passes the environment of umh, before --env is applied.")
    private boolean inheritsEnvironment;

    @Option(
            names = "--personality",
            paramLabel = "HEX",
            converter = PersonalityConverter.class,
            description = "The bits of personality(2). Default: 0.")
    private @Nullable Integer personality;

    /** Returns the arguments: the first one, then these. */
    byte[][] argv(String path, List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(argv0 != null ? argv0 : path);
        argv.addAll(arguments);
        return CommandLineBytes.bytes(argv, "argument");
    }

    /** Returns the environment. A later variable replaces an earlier one of the same name. */
    byte[][] environment() {
        List<byte[]> all = new ArrayList<>();
        if (inheritsEnvironment) {
            all.addAll(CommandLineBytes.environment());
        } else if (kernel) {
            all.addAll(List.of(CommandLineBytes.bytes(List.of(UsermodeHelper.kernelEnvironment()), "environment")));
        }
        for (String variable : variables) {
            byte[] name = CommandLineBytes.bytes(variable.substring(0, variable.indexOf('=') + 1), "--env");
            all.removeIf(other -> Arrays.equals(other, 0, Math.min(name.length, other.length), name, 0, name.length));
            all.add(CommandLineBytes.bytes(variable, "--env"));
        }
        return all.toArray(byte[][]::new);
    }

    Task applyTo(Task task) {
        return personality == null ? task : task.personality(personality);
    }

    /** {@code NAME=VALUE}. */
    static final class VariableConverter extends ValueConverter<String> {
        @Override
        String parse(String text) {
            if (text.indexOf('=') < 1) {
                throw new IllegalArgumentException("'" + text + "' is not NAME=VALUE");
            }
            return text;
        }
    }

    /** The bits of personality(2). */
    static final class PersonalityConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int bits = NumberParser.hexadecimal(text);
            Task.defaults().personality(bits);
            return bits;
        }
    }
}
