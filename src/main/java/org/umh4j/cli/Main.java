// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

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
        subcommands = {
            ExecCommand.class,
            DriverCommand.class,
            ProbeCommand.class,
            CapsCommand.class,
            SysctlCommand.class,
            DoctorCommand.class,
            TourCommand.class,
            ManCommand.class,
            GenerateCompletion.class,
            HelpCommand.class
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0..123:the helper's own",
            "124:the helper was ended at its --timeout",
            "125:umh itself failed, or was used wrongly",
            "126:the program was found and could not be executed",
            "127:the program was not found",
            "128+n:signal n ended the helper"
        })
public final class Main implements Runnable {
    /** What umh itself exits with when it fails. */
    static final int FAILED = 125;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Main() {}

    /** Runs a command and exits with its status. */
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    static int run(String... arguments) {
        CommandLine umh = new CommandLine(new Main());
        // What follows the program's path is the program's.
        for (String runner : List.of("exec", "driver")) {
            Objects.requireNonNull(umh.getSubcommands().get(runner)).setStopAtPositional(true);
        }
        return umh.setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, command, parsed) -> failed(command, e))
                .setExitCodeExceptionMapper(e -> FAILED)
                .setParameterExceptionHandler(Main::misused)
                .execute(arguments);
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
        command.getErr().println("umh: " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr());
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return FAILED;
    }

    /** The file system's exceptions say the reason by their class. */
    static String message(Throwable e) {
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + ": no such file";
        }
        if (e instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied";
        }
        return e.getMessage() == null ? e.toString() : e.getMessage();
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
