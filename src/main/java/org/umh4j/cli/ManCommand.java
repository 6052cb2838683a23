// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/** {@code umh man}: writes the manual page, from the same descriptions and headings as {@code --help}. */
@Command(name = "man", hidden = true, description = "Writes the manual page umh(1).", mixinStandardHelpOptions = true)
final class ManCommand implements Runnable {
    private static final Map<String, String> EXAMPLES = new LinkedHashMap<>();

    static {
        EXAMPLES.put("umh doctor", "Shows what this host permits to helpers.");
        EXAMPLES.put(
                "umh exec --kernel --json /bin/true",
                "Starts a helper exactly as the kernel does, and prints the result as one JSON object.");
        EXAMPLES.put(
                "umh exec --uid nobody --cap-bounding none --no-new-privs /usr/bin/id",
                "Runs id as the user nobody, without any capability and without a way to gain one.");
        EXAMPLES.put(
                "umh exec --unshare net --timeout 5s /bin/cat /proc/net/dev",
                "Runs cat in a new network namespace, for at most 5 seconds.");
    }

    @Spec
    private CommandSpec spec;

    private final PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);

    @Override
    public void run() {
        CommandSpec umh = spec.parent();
        out.println(".TH UMH 1 \"\" \"" + text(umh.version()[0]) + "\" \"User Commands\"");
        out.println(".SH NAME\numh \\- starts programs as the Linux kernel starts its usermode helpers");
        out.println(".SH SYNOPSIS");
        out.println(visible(umh).entrySet().stream()
                .map(entry -> ".B umh " + text(entry.getKey()) + "\n"
                        + synopsis(entry.getValue().getCommandSpec()))
                .collect(Collectors.joining("\n.br\n")));
        out.println(".SH DESCRIPTION");
        paragraph(umh.usageMessage().description());
        visible(umh).forEach((name, command) -> describe(name, command.getCommandSpec()));
        out.println(".SH EXIT STATUS");
        umh.usageMessage().exitCodeList().forEach(this::item);
        out.println(".SH EXAMPLES");
        EXAMPLES.forEach(this::item);
        out.println(".SH SEE ALSO\n.BR capabilities (7),\n.BR execve (2),\n.BR setpriv (1),\n.BR unshare (1)");
        out.flush();
    }

    /** Returns the commands of the page: all but those for the manual page, the completion and the help. */
    static Map<String, CommandLine> visible(CommandSpec umh) {
        Map<String, CommandLine> commands = new LinkedHashMap<>(umh.subcommands());
        commands.values()
                .removeIf(command -> command.getCommandSpec().usageMessage().hidden());
        commands.remove("help");
        return commands;
    }

    private static String synopsis(CommandSpec command) {
        StringBuilder words = new StringBuilder("[OPTIONS]");
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            boolean many = parameter.arity().isVariable() || parameter.index().isVariable();
            words.append(parameter.required() ? " " : " [")
                    .append("\\fI")
                    .append(text(parameter.paramLabel()))
                    .append("\\fP");
            words.append(many ? "..." : "").append(parameter.required() ? "" : "]");
        }
        return words.toString();
    }

    private void describe(String name, CommandSpec command) {
        out.println(".SH UMH " + text(name).toUpperCase(Locale.ROOT));
        paragraph(command.usageMessage().description());
        List<ArgGroupSpec> groups = command.argGroups();
        command.options().stream().filter(option -> option.group() == null).forEach(this::option);
        for (ArgGroupSpec group : groups) {
            out.println(".SS " + text(group.heading().replace("%n", "").replace(":", "")));
            group.options().forEach(this::option);
        }
    }

    private void option(OptionSpec option) {
        String label = option.arity().max() > 0 ? " \\fI" + text(option.paramLabel()) + "\\fP" : "";
        out.println(".TP\n\\fB" + text(String.join(", ", option.names())) + "\\fP" + label);
        out.println(line(String.join(" ", option.description())));
    }

    private void item(String subject, String description) {
        out.println(".TP\n\\fB" + text(subject) + "\\fP\n" + line(description));
    }

    private void paragraph(String... sentences) {
        out.println(Arrays.stream(sentences)
                .filter(sentence -> !sentence.isBlank())
                .map(ManCommand::line)
                .collect(Collectors.joining("\n.PP\n")));
    }

    /** Returns one line. A first character that troff reads as a request is escaped. */
    private static String line(String words) {
        String line = text(words.replace("%n", " ").replace("%%", "%"));
        return line.startsWith(".") || line.startsWith("'") ? "\\&" + line : line;
    }

    private static String text(String words) {
        return words.replace("\\", "\\e").replace("-", "\\-");
    }
}
