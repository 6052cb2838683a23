// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code umh zsh}: writes the completion function of zsh, with what each option means, from what {@code --help} says. */
@Command(
        name = "zsh",
        hidden = true,
        description = "Writes the completion function _umh of zsh.",
        mixinStandardHelpOptions = true)
final class ZshCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    private final PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);

    @Override
    public void run() {
        Map<String, CommandLine> commands = ManCommand.visible(spec.parent());
        out.println("#compdef umh");
        out.println("_umh() {\n\tlocal -a commands=(");
        commands.forEach((name, command) -> out.println("\t\t'" + name + ":" + first(command.getCommandSpec()) + "'"));
        out.println("\t)\n\t_arguments -C '(- *)--help[says how to use it]' '(- *)--version[says which one it is]'"
                + " '1:command:{_describe command commands}' '*::argument:->of' && return");
        out.println("\tcase $words[1] in");
        commands.forEach((name, command) -> arguments(name, command.getCommandSpec()));
        out.println("\tesac\n}\n_umh \"$@\"");
        out.flush();
    }

    /** What follows a program's path is the program's: no option of umh is offered there. */
    private void arguments(String name, CommandSpec command) {
        String all = command.options().stream().map(this::option).collect(Collectors.joining(" \\\n\t\t\t"));
        boolean program = name.equals("exec") || name.equals("driver");
        out.println("\t" + name + ")\n\t\t_arguments -S " + (program ? "-A '-*' " : "") + all
                + (program ? " \\\n\t\t\t'1:program:_files' '*:argument:_files'" : "") + " ;;");
    }

    private String option(OptionSpec option) {
        String meaning = "[" + quoted(option.description().length == 0 ? "" : option.description()[0]) + "]";
        String value = option.arity().max() > 0 ? ":" + quoted(option.paramLabel()) + ":" + values(option) : "";
        String again = option.isMultiValue() ? "*" : "";
        return java.util.Arrays.stream(option.names())
                .map(name -> "'" + again + name + meaning + value + "'")
                .collect(Collectors.joining(" "));
    }

    /** Where the label lists them; else files, which most others are. */
    private static String values(OptionSpec option) {
        String label = option.paramLabel();
        return label.matches("[a-z]+(\\|[a-z]+)+") ? "(" + label.replace('|', ' ') + ")" : "_files";
    }

    private static String first(CommandSpec command) {
        return quoted(command.usageMessage().description()[0]);
    }

    /** As text within an argument of _arguments within quotes. */
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
