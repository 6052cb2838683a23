// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The command line: {@code umh}. */
@Command(
        name = "umh",
        description = "Starts programs as the Linux kernel starts its usermode helpers.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0..123:The exit status of the helper.",
            "124:The --timeout is over.",
            "125:umh has failed, an option is wrong, or the helper could not be ended.",
            "126:The program was found but could not be executed.",
            "127:The program was not found.",
            "128+n:Signal n has ended the helper."
        })
public final class Main implements Runnable {
    /** The exit status when umh itself fails. */
    static final int FAILED = 125;

    private static final List<Class<?>> COMMANDS = List.of(
            ExecCommand.class,
            DriverCommand.class,
            ProbeCommand.class,
            CapsCommand.class,
            SysctlCommand.class,
            DoctorCommand.class,
            TourCommand.class);
    /** The commands that print the options of all other commands. */
    private static final List<Class<?>> ABOUT_COMMANDS =
            List.of(ManCommand.class, ZshCommand.class, GenerateCompletion.class, HelpCommand.class);

    /** The methods that messages of the library name, and the options that call them; the longer name first. */
    private static final Map<String, String> OPTION_OF_METHOD = new LinkedHashMap<>();

    static {
        OPTION_OF_METHOD.put("NamespaceSetup.mapRoot()", "--map-root");
        OPTION_OF_METHOD.put("mapRoot()", "--map-root");
        OPTION_OF_METHOD.put("Cred.noNewPrivs()", "--no-new-privs");
        OPTION_OF_METHOD.put("call gid(...), or keepGid()", "add --gid, or --keep-gid");
        OPTION_OF_METHOD.put("uid(...)", "--uid");
        OPTION_OF_METHOD.put("gid(...)", "--gid");
        OPTION_OF_METHOD.put("Fs.cwd", "--cwd");
        OPTION_OF_METHOD.put("; pass it as bytes", "");
        OPTION_OF_METHOD.put("HelperPaths.allowOnly", "--allow");
    }

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
        } catch (IllegalArgumentException | LinkageError e) { // LinkageError if the library can't be loaded
            System.err.println("umh: " + message(e));
            return FAILED;
        }
    }

    /** Returns the status, or {@link #FAILED} if standard output could not be written. */
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

    /**
     * Returns umh with the named command alone, or with all commands if the first argument names none. Reading the
     * options of all commands takes longer than most helpers run.
     */
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
        // The arguments after a program's path are the program's.
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

    /** Returns the message of an exception. Methods of the library are replaced by the options that call them. */
    static String message(Throwable thrown) {
        Throwable e = thrown instanceof UncheckedIOException && thrown.getCause() != null ? thrown.getCause() : thrown;
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        if (e instanceof NoSuchFileException missing) { // its message is the name of the file alone
            message = missing.getFile() + ": no such file";
        } else if (e instanceof AccessDeniedException denied) {
            message = denied.getFile() + ": permission denied";
        }
        for (Map.Entry<String, String> option : OPTION_OF_METHOD.entrySet()) {
            message = message.replace(option.getKey(), option.getValue());
        }
        return message;
    }

    /** Reads the version from the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"umh4j " + (version == null ? "(not packaged)" : version)};
        }
    }
}
