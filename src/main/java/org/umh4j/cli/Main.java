// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Objects;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The command line: {@code umh}. */
@Command(
        name = "umh",
        description = "Starts programs the way the Linux kernel starts its helpers.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0..123:the helper's own",
            "124:the helper was ended at its --timeout",
            "125:umh itself failed, was used wrongly, or could not end the helper",
            "126:the program was found and could not be executed",
            "127:the program was not found",
            "128+n:signal n ended the helper"
        })
public final class Main implements Runnable {
    /** What umh itself exits with when it fails. */
    static final int FAILED = 125;

    private static final List<Class<?>> COMMANDS = List.of(
            ExecCommand.class,
            DriverCommand.class,
            ProbeCommand.class,
            CapsCommand.class,
            SysctlCommand.class,
            DoctorCommand.class,
            TourCommand.class);
    /** Those that have to know all others. */
    private static final List<Class<?>> ABOUT_COMMANDS =
            List.of(ManCommand.class, ZshCommand.class, GenerateCompletion.class, HelpCommand.class);

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Main() {}

    /** Runs a command and exits with its status. */
    public static void main(String[] arguments) {
        System.exit(written(exact(arguments)));
    }

    private static int exact(String... arguments) {
        try {
            return run(CommandLineBytes.arguments(arguments));
        } catch (IllegalArgumentException | LinkageError e) { // the latter where the library can't be loaded
            System.err.println("umh: " + message(e));
            return FAILED;
        }
    }

    /** Output that could not be written is a failure, however the helper ended. */
    private static int written(int status) {
        if (!System.out.checkError()) {
            return status;
        }
        System.err.println("umh: standard output can't be written");
        return FAILED;
    }

    static int run(String... arguments) {
        return commands(arguments)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // an argument that begins with @ is an argument
                .setExecutionExceptionHandler((e, command, parsed) -> failed(command, e))
                .setExitCodeExceptionMapper(e -> FAILED)
                .setParameterExceptionHandler(Main::misused)
                .execute(arguments);
    }

    /** The one that is meant; else all of them. Looking at the options of all takes longer than most helpers. */
    private static CommandLine commands(String... arguments) {
        CommandLine umh = new CommandLine(new Main());
        for (Class<?> command : COMMANDS) {
            if (arguments.length > 0 && arguments[0].equals(name(command))) {
                return add(umh, command);
            }
        }
        COMMANDS.forEach(command -> add(umh, command));
        ABOUT_COMMANDS.forEach(command -> add(umh, command));
        return umh;
    }

    private static CommandLine add(CommandLine umh, Class<?> command) {
        String name = name(command);
        umh.addSubcommand(name, command);
        // What follows the program's path is the program's.
        Objects.requireNonNull(umh.getSubcommands().get(name))
                .setStopAtPositional(name.equals("exec") || name.equals("driver"));
        return umh;
    }

    private static String name(Class<?> command) {
        return Objects.requireNonNull(command.getAnnotation(Command.class)).name();
    }

    @Override
    public void run() {
        spec.commandLine().usage(System.out);
    }

    private static int failed(CommandLine command, Exception e) {
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message(e));
        return FAILED;
    }

    private static int misused(CommandLine.ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        command.getErr().println("umh: " + message(e));
        CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr());
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return FAILED;
    }

    /** What went wrong and what to do, in the words of the command line where the library names a method. */
    static String message(Throwable thrown) {
        Throwable e = thrown instanceof UncheckedIOException && thrown.getCause() != null ? thrown.getCause() : thrown;
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        if (e instanceof NoSuchFileException missing) { // the file system's exceptions say the reason by their class
            message = missing.getFile() + ": no such file";
        } else if (e instanceof AccessDeniedException denied) {
            message = denied.getFile() + ": permission denied";
        }
        return message.replace("NamespaceSetup.mapRoot()", "--map-root")
                .replace("Cred.noNewPrivs()", "--no-new-privs")
                .replace("; pass it as bytes", "")
                .replace("HelperPaths.allowOnly", "--allow, or -Dorg.umh4j.allowed.paths");
    }

    /** The version that the build wrote into the jar. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"umh4j " + (version == null ? "(not packaged)" : version)};
        }
    }
}
