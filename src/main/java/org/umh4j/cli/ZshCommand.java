// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code umh zsh}: writes zsh's completion function, from the descriptions of {@code --help}. */
@Command(
        name = "zsh",
        hidden = true,
        description = "Writes the completion function _umh for zsh.",
        mixinStandardHelpOptions = true)
final class ZshCommand implements Runnable {
    /** The functions of zsh for values that depend on the host. */
    private static final Map<String, String> FUNCTIONS = Map.of(
            "--uid", "_users",
            "--gid", "_groups",
            "--cwd", "_directories",
            "--root", "_directories",
            "--cgroup", "_directories");

    @Spec
    private CommandSpec spec;

    private final PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);

    @Override
    public void run() {
        Map<String, CommandLine> commands = ManCommand.visible(spec.parent());
        out.println("#compdef umh");
        out.println("_umh() {\n\tlocal -a commands=(");
        commands.forEach((name, command) -> out.println("\t\t'" + name + ":" + first(command.getCommandSpec()) + "'"));
        out.println("\t)\n\t_arguments -C '(- *)--help[prints the usage]' '(- *)--version[prints the version]'"
                + " '1:command:{_describe command commands}' '*::argument:->of' && return");
        out.println("\tcase $words[1] in");
        commands.forEach((name, command) -> arguments(name, command.getCommandSpec()));
        out.println("\tesac\n}\n_umh \"$@\"");
        out.flush();
    }

    /** The arguments after a program's path are the program's, so no option of umh is offered there. */
    private void arguments(String name, CommandSpec command) {
        String all = command.options().stream().map(ZshCommand::option).collect(Collectors.joining(" \\\n\t\t\t"));
        boolean hasProgram = name.equals("exec") || name.equals("driver");
        out.println("\t" + name + ")\n\t\t_arguments -S " + (hasProgram ? "-A '-*' " : "") + all
                + (hasProgram ? " \\\n\t\t\t'1:program:_files' '*:argument:_files'" : "") + " ;;");
    }

    private static String option(OptionSpec option) {
        String description = "[" + quoted(option.description().length == 0 ? "" : option.description()[0]) + "]";
        String value = option.arity().max() > 0 ? ":" + quoted(option.paramLabel()) + ":" + values(option) : "";
        String again = option.isMultiValue() ? "*" : "";
        return Arrays.stream(option.names())
                .map(name -> "'" + again + name + description + value + "'")
                .collect(Collectors.joining(" "));
    }

    /** Returns the action for the values: the candidates of the option, a function of zsh, or files. */
    private static String values(OptionSpec option) {
        String function = FUNCTIONS.get(option.longestName());
        if (function != null) {
            return function;
        }
        List<String> values = candidates(option);
        if (values.isEmpty()) {
            return "_files";
        }
        boolean isList =
                option.paramLabel().contains(",") || option.paramLabel().equals("CAPS");
        return isList ? "_sequence compadd - " + String.join(" ", values) : "(" + String.join(" ", values) + ")";
    }

    private static List<String> candidates(OptionSpec option) {
        List<String> values = new ArrayList<>();
        if (option.completionCandidates() != null) {
            option.completionCandidates().forEach(values::add);
        }
        String label = option.paramLabel();
        return label.matches("[a-z]+(\\|[a-z]+)+") ? List.of(label.split("\\|")) : values;
    }

    private static String first(CommandSpec command) {
        return quoted(command.usageMessage().description()[0]);
    }

    /** Returns the text for an argument of _arguments, within single quotes. */
    private static String quoted(String text) {
        return text.replace("%n", " ")
                .replace("%%", "%")
                .replace("\\", "\\\\")
                .replace("'", "'\\''")
                .replace("[", "\\[")
                .replace("]", "\\]")
                .replace(":", "\\:");
    }
}
