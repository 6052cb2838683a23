// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.umh4j.RestartBackoff;
import org.umh4j.UmhException;
import org.umh4j.UsermodeDriver;
import org.umh4j.linux.WaitStatus;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code umh driver}: runs one user mode driver between standard input and standard output. */
@Command(
        name = "driver",
        description =
                "Loads a program or script into memory and runs it as a user mode driver: standard input goes to its"
                        + " pipe, what it answers to standard output. Its environment is empty and nothing else is open in it, unless"
                        + " asked for; it dies with umh.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class DriverCommand implements Callable<Integer> {
    @Mixin
    private HelperOptions options;

    @Option(
            names = "--supervise",
            description = "Runs it again when it has not exited with 0: after 100 ms, twice that each"
                    + " time, 10 s at most.")
    private boolean supervise;

    @Option(names = "--restarts", paramLabel = "N", description = "How often within a minute; 5 by default.")
    private int restarts = RestartBackoff.DEFAULT_LIMIT;

    @Parameters(index = "0", paramLabel = "BLOB", description = "The file with the program.")
    private Path blob;

    @Parameters(index = "1..*", paramLabel = "ARG", description = "Its arguments after its name.")
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        if (options.stdin != null || options.stdout != null) {
            throw new IllegalArgumentException("a driver's standard input and output are its pipes");
        }
        options.narrowPolicy();
        String name = options.argv0 != null ? options.argv0 : blob.getFileName().toString();
        try (UsermodeDriver driver = UsermodeDriver.load(name, blob)) {
            driver.arguments(List.of(CommandLineBytes.bytes(arguments, "argument")))
                    .environment(List.of(options.environment()))
                    .task(options.task().descriptors(options.descriptors("none")));
            return supervise ? supervise(driver) : ExitStatus.of(run(driver, new DriverRelay()));
        } catch (NoSuchFileException e) {
            System.err.println("umh: " + blob + ": no such file");
            return ExitStatus.NOT_FOUND;
        } catch (UmhException e) {
            System.err.println("umh: " + Main.message(e));
            return ExitStatus.of(e);
        }
    }

    private static WaitStatus run(UsermodeDriver driver, DriverRelay bridge) throws IOException {
        driver.fork();
        bridge.carry(driver);
        return driver.onExit().join();
    }

    /** One bridge for all of its lives: what was not yet given to one is given to the next. */
    private int supervise(UsermodeDriver driver) throws IOException, InterruptedException {
        RestartBackoff pauses = new RestartBackoff(
                RestartBackoff.DEFAULT_FIRST_PAUSE,
                RestartBackoff.DEFAULT_LONGEST_PAUSE,
                restarts,
                RestartBackoff.DEFAULT_WINDOW);
        DriverRelay bridge = new DriverRelay();
        for (; ; ) {
            WaitStatus status = run(driver, bridge);
            Optional<Duration> pause = status.success() ? Optional.empty() : pauses.after(System.nanoTime());
            if (pause.isEmpty()) {
                return ExitStatus.of(status);
            }
            System.err.println("umh: " + driver.name() + ": " + status + "; restart " + pauses.count() + " in "
                    + pause.get().toMillis() + " ms");
            Thread.sleep(pause.get().toMillis());
        }
    }
}
