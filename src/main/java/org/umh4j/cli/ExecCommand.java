// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.umh4j.Helper;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Sandbox;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code umh exec}: runs one helper. */
@Command(
        name = "exec",
        description = "Runs a program as a helper. The path is executed as it stands: PATH is not searched.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ExecCommand implements Callable<Integer> {
    private static final int TIMED_OUT = 124;
    private static final Duration KILL_WAIT = Duration.ofSeconds(5);

    enum Wait {
        NONE,
        EXEC,
        PROC
    }

    @Mixin
    private HelperOptions options;

    @Option(
            names = "--wait",
            paramLabel = "none|exec|proc",
            description =
                    "How long umh waits: not at all, until the" + " program is in place, until it has ended (default).")
    private Wait wait = Wait.PROC;

    @Option(names = "--killable", description = "When umh is interrupted the helper runs on; else it is terminated.")
    private boolean killable;

    @Option(names = "--freezable", description = "UMH_FREEZABLE.")
    private boolean freezable;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Ends the helper after this time (such as 500ms, 5s,"
                    + " 2m), counted from when umh has started: SIGTERM, and SIGKILL two seconds later.")
    private @Nullable String timeout;

    @Option(
            names = "--json",
            description = "Prints the result as one JSON object, as the last line of standard output.")
    private boolean json;

    @Parameters(index = "0", paramLabel = "PATH", description = "The program.")
    private String path;

    @Parameters(index = "1..*", paramLabel = "ARG", description = "Its arguments after the first.")
    private List<String> arguments = new ArrayList<>();

    private boolean timedOut;
    /** The helper has been sent SIGKILL, and has not ended. */
    private boolean leftAlive;

    @Override
    public Integer call() throws Exception {
        Duration limit = timeout == null ? null : Durations.parse(timeout);
        Sandbox.landlockAbi(); // so that the library is loaded by now, which is no time of the call's
        long begin = System.nanoTime();
        SubprocessInfo info;
        try { // a file of an option may be a pipe without a writer
            info = Bounded.call(() -> options.setUp(path, arguments), limit);
        } catch (TimeoutException e) {
            System.err.println("umh: the files of the options could not be read within " + timeout);
            return TIMED_OUT;
        }
        int retval = run(info, limit == null ? null : limit.minusNanos(System.nanoTime() - begin));
        long micros = (System.nanoTime() - begin) / 1_000;
        options.warn(info);
        if (json) {
            JsonResult.print(info, wait == Wait.PROC, retval, micros);
        } else {
            info.failure().ifPresent(e -> System.err.println("umh: " + Main.message(e) + hint(e)));
        }
        return exitStatus(info, retval);
    }

    /** What people expect who come from a shell. */
    private String hint(UmhException e) {
        if (e.stage() != UmhStage.EXEC || e.errno() != Errno.ENOENT.number() || path.startsWith("/")) {
            return "";
        }
        if (path.contains("/")) {
            return "; a relative path begins at the helper's working directory, --cwd, which is / by default";
        }
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (folder.startsWith("/") && Files.isExecutable(Path.of(folder, path))) {
                return "; PATH is not searched: did you mean " + Path.of(folder, path) + "?";
            }
        }
        return "; PATH is not searched";
    }

    private int run(SubprocessInfo info, @Nullable Duration limit) throws Exception {
        boolean attended = wait == Wait.PROC && !killable && !freezable;
        if (attended && !"".equals(info.path())) { // another one than was named, where one mediates
            return attend(info, limit);
        }
        if (limit != null) {
            throw new IllegalArgumentException("--timeout goes with --wait proc, without --killable and --freezable");
        }
        CountDownLatch over = new CountDownLatch(1);
        int retval = UsermodeHelper.exec(info.cleanup(i -> over.countDown()), flags());
        if (wait == Wait.NONE) {
            over.await(); // umh must live until the helper does; the helper's own fate is nobody's business
        }
        return retval;
    }

    private UmhWait flags() {
        UmhWait flags = switch (wait) {
            case NONE -> UmhWait.NO_WAIT;
            case EXEC -> UmhWait.EXEC;
            case PROC -> UmhWait.PROC;
        };
        flags = killable ? flags.killable() : flags;
        return freezable ? flags.freezable() : flags;
    }

    /**
     * Waits for the helper, and kills it when umh is ended. Another thread starts the helper. The limit covers the
     * start too: a start that has not finished by then ends with umh.
     */
    private int attend(SubprocessInfo info, @Nullable Duration limit) throws Exception {
        long begin = System.nanoTime();
        StarterThread starting = new StarterThread(info);
        Thread hook = new Thread(starting::end);
        Runtime.getRuntime().addShutdownHook(hook); // before there is a helper: none is ever left alone
        try (Helper helper = starting.await(limit)) {
            Duration left = limit == null ? null : limit.minusNanos(System.nanoTime() - begin);
            WaitStatus status = left == null ? helper.waitFor() : waitFor(helper, left);
            return status.lost() ? -Errno.ECHILD.number() : status.raw();
        } catch (UmhException e) {
            return e.retval();
        } catch (TimeoutException e) {
            timedOut = true;
            System.err.println("umh: " + path + ": not started within " + timeout);
            return -Errno.ETIMEDOUT.number();
        } finally {
            starting.over();
            removeHook(hook);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It runs, and has seen the helper's end.
        }
    }

    private WaitStatus waitFor(Helper helper, Duration limit) throws InterruptedException {
        Optional<WaitStatus> status = helper.waitFor(limit);
        if (status.isPresent()) {
            return status.get();
        }
        timedOut = true;
        status = terminate(helper);
        leftAlive = status.isEmpty();
        return status.orElse(WaitStatus.LOST);
    }

    /** Ends the helper by SIGTERM, or by SIGKILL after the grace. Empty if it has not ended by then, which is reported. */
    static Optional<WaitStatus> terminate(Helper helper) {
        Optional<WaitStatus> status = Optional.empty();
        try {
            helper.kill(Signal.TERM);
            status = helper.waitFor(RunOptions.DEFAULT_GRACE);
        } catch (UmhException | InterruptedException e) {
            // SIGKILL then, at once
        }
        return status.isPresent() ? status : kill(helper);
    }

    /** A frozen process, or one that hangs in the kernel, does not end by that. */
    private static Optional<WaitStatus> kill(Helper helper) {
        String sent = "SIGKILL was sent";
        Optional<WaitStatus> status = Optional.empty();
        try {
            helper.kill(Signal.KILL);
        } catch (UmhException e) {
            sent = "SIGKILL could not be sent (" + e.errnoName() + ")";
        }
        try {
            status = helper.waitFor(KILL_WAIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (status.isEmpty()) {
            System.err.println("umh: pid " + helper.pid() + " has not ended: " + sent + " and " + KILL_WAIT.toSeconds()
                    + " s have passed");
            helper.detach(); // close() would wait as long again
        }
        return status;
    }

    private int exitStatus(SubprocessInfo info, int retval) {
        if (leftAlive) {
            return Main.FAILED;
        }
        if (timedOut) {
            return TIMED_OUT;
        }
        if (retval < 0) {
            return info.failure().map(ExitStatus::of).orElse(Main.FAILED);
        }
        return wait == Wait.PROC ? ExitStatus.of(new WaitStatus(retval)) : 0;
    }
}
