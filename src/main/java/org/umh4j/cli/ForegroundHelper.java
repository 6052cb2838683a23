// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.umh4j.Helper;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;

/**
 * A helper that umh waits for. It is ended when the time limit is over, and when umh is ended by a signal.
 *
 * <p>A separate thread starts the helper, so that a start that blocks does not exceed the limit. The launcher of such a
 * start ends with umh, because the kernel kills a launcher when the thread that created it ends.
 */
final class ForegroundHelper {
    /** The time that a start may take after umh has received a signal. */
    private static final Duration START_GRACE = Duration.ofMillis(500);

    private static final Duration KILL_WAIT = Duration.ofSeconds(5);

    private final SubprocessInfo info;
    private final TimeLimit limit;
    private final CompletableFuture<Helper> started = new CompletableFuture<>();
    private boolean timedOut;
    private boolean survivedKill;

    ForegroundHelper(SubprocessInfo info, TimeLimit limit) {
        this.info = info;
        this.limit = limit;
    }

    /** Whether the limit was over before the helper had ended. */
    boolean hasTimedOut() {
        return timedOut;
    }

    /** Whether the helper has not ended within 5 s after SIGKILL. */
    boolean hasSurvivedKill() {
        return survivedKill;
    }

    /** Starts the helper, waits for its end, and returns the wait status, or the negative errno of a failure. */
    int run() throws Exception {
        Thread hook = new Thread(this::endWithUmh);
        Runtime.getRuntime().addShutdownHook(hook); // before the start, so that no helper is left without umh
        Thread starter = new Thread(this::start, "umh-start");
        starter.setDaemon(true);
        starter.start();
        try (Helper helper = limit.await(started)) {
            WaitStatus status = waitFor(helper);
            return status.lost() ? -Errno.ECHILD.number() : status.raw();
        } catch (UmhException e) {
            return e.retval();
        } catch (TimeoutException e) {
            timedOut = true;
            System.err.println("umh: " + info.path() + ": not started within " + limit);
            return -Errno.ETIMEDOUT.number();
        } finally {
            abandonStart();
            removeHook(hook);
        }
    }

    private void start() {
        try {
            Helper helper = UsermodeHelper.start(info);
            if (!started.complete(helper)) {
                helper.close();
            }
        } catch (Throwable e) {
            started.completeExceptionally(e);
        }
    }

    /** A helper whose start succeeds later is killed at once. */
    private void abandonStart() {
        started.cancel(false);
    }

    private void endWithUmh() {
        try {
            terminate(started.get(START_GRACE.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            abandonStart();
        } catch (ExecutionException | CancellationException | InterruptedException e) {
            // there is no helper, or it has ended
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the hook runs; it does nothing, since the helper has ended
        }
    }

    private WaitStatus waitFor(Helper helper) throws InterruptedException {
        Duration left = limit.remaining();
        if (left == null) {
            return helper.waitFor();
        }
        Optional<WaitStatus> status = helper.waitFor(left);
        if (status.isPresent()) {
            return status.get();
        }
        timedOut = true;
        status = terminate(helper);
        survivedKill = status.isEmpty();
        return status.orElse(WaitStatus.LOST);
    }

    /** Sends SIGTERM, and SIGKILL after the grace. Empty if the helper has not ended then, which is reported. */
    private static Optional<WaitStatus> terminate(Helper helper) {
        Optional<WaitStatus> status = Optional.empty();
        try {
            helper.kill(Signal.TERM);
            status = helper.waitFor(RunOptions.DEFAULT_GRACE);
        } catch (UmhException | InterruptedException e) {
            // SIGKILL follows at once
        }
        return status.isPresent() ? status : kill(helper);
    }

    /** A process that is frozen or blocked in the kernel does not end by SIGKILL. */
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
}
