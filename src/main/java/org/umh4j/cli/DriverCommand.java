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
import org.umh4j.task.Task;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * {@code umh driver}: runs a user mode driver between standard input and standard output. Its options are in
 * {@link HelperOptions} and {@link RestartOptions}.
 */
@Command(
        name = "driver",
        description =
                "Loads a program or script into memory and runs it as a user mode driver. Standard input is copied"
                        + " to the driver's descriptor 0, and its descriptor 1 to standard output. By default the"
                        + " environment is empty and no other descriptor is open. The driver is killed when umh ends.",
        mixinStandardHelpOptions = true,
        customSynopsis = "umh driver [OPTIONS] [--] BLOB [ARG...]",
        sortOptions = false)
final class DriverCommand implements Callable<Integer> {
    @Mixin
    private HelperOptions options;

    @ArgGroup(validate = false, order = 20, heading = "%nRestarts:%n")
    private RestartOptions restarts = new RestartOptions();

    @Parameters(index = "0", paramLabel = "BLOB", description = "The file with the program or script.")
    private Path blob;

    @Parameters(index = "1..*", paramLabel = "ARG", description = "Its arguments after its name.")
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        if (options.descriptors.stdin != null || options.descriptors.stdout != null) {
            throw new IllegalArgumentException(
                    "--stdin and --stdout: a driver's standard input and output are its pipes");
        }
        options.policy.narrow();
        Task task = options.task(DescriptorSource.ABSENT); // a missing file of an option is not a missing driver
        String name = options.call.argv0 != null
                ? options.call.argv0
                : blob.getFileName().toString();
        try (UsermodeDriver driver = UsermodeDriver.load(name, blob)) {
            driver.arguments(List.of(CommandLineBytes.bytes(arguments, "argument")))
                    .environment(List.of(options.call.environment()))
                    .task(task);
            return restarts.isSupervised ? supervise(driver) : ExitStatus.of(run(driver, new DriverRelay()));
        } catch (NoSuchFileException e) {
            System.err.println("umh: " + blob + ": no such file");
            return ExitStatus.NOT_FOUND;
        } catch (UmhException e) {
            System.err.println("umh: " + Main.message(e));
            return ExitStatus.of(e);
        }
    }

    private static WaitStatus run(UsermodeDriver driver, DriverRelay relay) throws IOException {
        driver.fork();
        relay.copyUntilEnd(driver);
        return driver.onExit().join();
    }

    /** All processes of the driver share one relay, so input that one has not received goes to the next. */
    private int supervise(UsermodeDriver driver) throws IOException, InterruptedException {
        RestartBackoff backoff = restarts.backoff();
        DriverRelay relay = new DriverRelay();
        for (; ; ) {
            WaitStatus status = run(driver, relay);
            Optional<Duration> pause = status.success() ? Optional.empty() : backoff.after(System.nanoTime());
            if (pause.isEmpty()) {
                return ExitStatus.of(status);
            }
            System.err.println("umh: " + driver.name() + ": " + status + "; restart " + backoff.count() + " in "
                    + pause.get().toMillis() + " ms");
            Thread.sleep(pause.get().toMillis());
        }
    }
}
