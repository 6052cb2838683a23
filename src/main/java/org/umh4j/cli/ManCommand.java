// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/** {@code umh man}: writes the manual page, from the same descriptions as {@code --help}. */
@Command(name = "man", hidden = true, description = "Writes the manual page umh(1).", mixinStandardHelpOptions = true)
final class ManCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    private final PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);

    @Override
    public void run() {
        CommandSpec umh = spec.parent();
        out.println(".TH UMH 1 \"\" \"" + text(umh.version()[0]) + "\" \"User Commands\"");
        out.println(".SH NAME\numh \\- starts programs the way the Linux kernel starts its helpers");
        out.println(".SH SYNOPSIS");
        visible(umh).forEach((name, command) -> out.println(".B umh " + name + "\n" + synopsis(command.getCommandSpec()) + "\n.br"));
        out.println(".SH DESCRIPTION");
        paragraph(umh.usageMessage().description());
        visible(umh).forEach((name, command) -> describe(name, command.getCommandSpec()));
        out.println(".SH EXIT STATUS");
        umh.usageMessage().exitCodeList().forEach(this::item);
        out.flush();
    }

    /** The commands of one's own: not those of the help itself. */
    private static Map<String, CommandLine> visible(CommandSpec umh) {
        Map<String, CommandLine> commands = new java.util.LinkedHashMap<>(umh.subcommands());
        commands.values().removeIf(command -> command.getCommandSpec().usageMessage().hidden());
        commands.remove("help");
        return commands;
    }

    private static String synopsis(CommandSpec command) {
        StringBuilder words = new StringBuilder("[options]");
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            boolean many = parameter.arity().isVariable() || parameter.index().isVariable();
            words.append(parameter.required() ? " " : " [").append("\\fI").append(text(parameter.paramLabel())).append("\\fP");
            words.append(many ? "..." : "").append(parameter.required() ? "" : "]");
        }
        return words.toString();
    }

    private void describe(String name, CommandSpec command) {
        out.println(".SH UMH " + text(name).toUpperCase(java.util.Locale.ROOT));
        paragraph(command.usageMessage().description());
        for (OptionSpec option : command.options()) {
            String label = option.arity().max() > 0 ? " \\fI" + text(option.paramLabel()) + "\\fP" : "";
            out.println(".TP\n\\fB" + text(String.join(", ", option.names())) + "\\fP" + label);
            out.println(line(String.join(" ", option.description())));
        }
    }

    private void item(String status, String meaning) {
        out.println(".TP\n\\fB" + text(status) + "\\fP\n" + line(meaning));
    }

    private void paragraph(String... sentences) {
        for (String sentence : List.of(sentences)) {
            out.println(".PP\n" + line(sentence));
        }
    }

    /** A whole line, which must not be taken for a request. */
    private static String line(String words) {
        String line = text(words.replace("%n", " ").replace("%%", "%"));
        return line.startsWith(".") || line.startsWith("'") ? "\\&" + line : line;
    }

    private static String text(String words) {
        return words.replace("\\", "\\e").replace("-", "\\-");
    }
}
