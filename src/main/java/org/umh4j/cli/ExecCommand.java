// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Sandbox;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code umh exec}: runs one helper. Its options are in {@link HelperOptions} and {@link WaitOptions}. */
@Command(
        name = "exec",
        description = "Runs a program as a helper. PATH is the file that is executed: the directories of $PATH are not"
                + " searched.",
        mixinStandardHelpOptions = true,
        customSynopsis = "umh exec [OPTIONS] [--] PATH [ARG...]",
        sortOptions = false)
final class ExecCommand implements Callable<Integer> {
    @Mixin
    private HelperOptions options;

    @ArgGroup(validate = false, order = 20, heading = "%nWait and result:%n")
    private WaitOptions wait = new WaitOptions();

    @Parameters(index = "0", paramLabel = "PATH", description = "The program.")
    private String path;

    @Parameters(index = "1..*", paramLabel = "ARG", description = "Its arguments after the first.")
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        Sandbox.landlockAbi(); // loads the library before the time limit and elapsed_us begin
        long begin = System.nanoTime();
        TimeLimit limit = new TimeLimit(wait.timeout);
        SubprocessInfo info;
        try { // a file of an option may be a FIFO without a writer
            info = limit.call(() -> options.setUp(path, arguments));
        } catch (TimeoutException e) {
            System.err.println("umh: the files of the options could not be read within " + limit);
            return ExitStatus.TIMED_OUT;
        }
        ForegroundHelper foreground = new ForegroundHelper(info, limit);
        boolean isForeground = wait.isForeground() && !"".equals(info.path()); // --static-helper sets another path
        int retval = isForeground ? foreground.run() : background(info, limit);
        report(info, retval, (System.nanoTime() - begin) / 1_000);
        return exitStatus(info, foreground, retval);
    }

    private int background(SubprocessInfo info, TimeLimit limit) throws InterruptedException {
        if (limit.isSet()) {
            throw new IllegalArgumentException("--timeout needs --wait proc, without --killable and --freezable");
        }
        CountDownLatch over = new CountDownLatch(1);
        int retval = UsermodeHelper.exec(info.cleanup(i -> over.countDown()), wait.flags());
        if (wait.isForNothing()) {
            over.await(); // a helper that has not reached execve ends with umh
        }
        return retval;
    }

    private void report(SubprocessInfo info, int retval, long micros) throws Exception {
        options.unapplied.warn(info);
        if (wait.json) {
            JsonResult.print(info, wait.isForExit(), retval, micros);
        } else {
            info.failure().ifPresent(e -> System.err.println("umh: " + Main.message(e) + hint(e)));
        }
    }

    /** Returns a hint for users who expect what a shell does. */
    private String hint(UmhException e) {
        if (e.stage() != UmhStage.EXEC || e.errno() != Errno.ENOENT.number() || path.startsWith("/")) {
            return "";
        }
        if (path.contains("/")) {
            return "; a relative path begins at the helper's working directory, --cwd, which is / by default";
        }
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (directory.startsWith("/") && Files.isExecutable(Path.of(directory, path))) {
                return "; PATH is not searched: did you mean " + Path.of(directory, path) + "?";
            }
        }
        return "; PATH is not searched";
    }

    private int exitStatus(SubprocessInfo info, ForegroundHelper foreground, int retval) {
        if (foreground.hasSurvivedKill()) {
            return Main.FAILED;
        }
        if (foreground.hasTimedOut()) {
            return ExitStatus.TIMED_OUT;
        }
        if (retval < 0) {
            return info.failure().map(ExitStatus::of).orElse(Main.FAILED);
        }
        return wait.isForExit() ? ExitStatus.of(new WaitStatus(retval)) : 0;
    }
}
