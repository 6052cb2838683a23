// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A process that the {@link Reaper} watches from its start until it has been reaped.
 *
 * <p>One lock guards the descriptors. The pidfd is closed after the process has been reaped. A signal is sent under the
 * same lock, so it reaches this process or none. If the process group has to be signaled after the process's end, the
 * pidfd stays open until {@link #release}.
 */
public final class Child implements EventHandler {
    /** The end of a process: wait status and resource usage, as in enum umh_exit of jni/bridge.h. */
    public record End(long[] numbers) {
        public int status() {
            return (int) numbers[0];
        }
    }

    private static final int NONE = -1;
    private static final int EAGAIN = Native.eagain();
    private static final int ESRCH = Native.esrch();
    private static final int EPERM = Native.eperm();
    private static final int EPIPE = Native.epipe();
    private static final int HANG_UP = Native.hangUp();
    private static final int EXIT = Native.exit();
    private static final int EXIT_FIELDS = Native.exitCount();

    @SuppressWarnings("NullAway.Init") // set by begin()
    private LaunchResult launch;

    private final CompletableFuture<LaunchResult> outcome = new CompletableFuture<>();
    private final CompletableFuture<End> exit = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private int pidfd;
    private long id = NONE;
    private boolean keepsPidfd;
    /** The reaper has no handler for it any more: only {@link #poll} finds its end. */
    private boolean isForgotten;

    private @Nullable OwnedDescriptor ownedPidfd;
    /** The end, or null until the process has been reaped. */
    private @Nullable End end;

    /**
     * Created before the process, since memory may be lacking later.
     *
     * @param keepsPidfd whether the pidfd stays open until {@link #release}, so that the process group can be signaled
     */
    public Child(boolean keepsPidfd) {
        this.keepsPidfd = keepsPidfd;
    }

    /** Loads this class and the reaper's. */
    public static void load() {
        Reaper.load();
    }

    /**
     * Has the reaper watch the process that was started. From now on it is reaped as soon as it ends.
     *
     * @return false if memory is lacking or the kernel refuses the watch; the process has then been killed and reaped
     */
    public boolean watch(LaunchResult started) {
        begin(started);
        if (isWatched()) {
            return true;
        }
        Reaper.stopPolling(this);
        killAndReap();
        return false;
    }

    private boolean isWatched() {
        try {
            if (arm(Reaper.register(this)) < 0) {
                return false;
            }
            if (!outcome.isDone()) { // only after its events are armed: a check may change its descriptors
                Reaper.startPolling(this);
                outcome.thenRun(() -> Reaper.stopPolling(this));
                Reaper.pollLaunchSoon();
            }
            return true;
        } catch (OutOfMemoryError e) {
            return false;
        }
    }

    private void begin(LaunchResult started) {
        launch = started;
        pidfd = launch.pidfd();
        if (launch.socket() == NONE) {
            outcome.complete(launch);
        }
    }

    public int pid() {
        return launch.pid();
    }

    /** Returns the begin of the launch, in the clock of {@link System#nanoTime}. */
    public long beginNanos() {
        return launch.beginNanos();
    }

    /**
     * Returns a future of the launch's outcome: execve has succeeded, or the launch has failed. Its dependents run in
     * the reaper and must not block.
     */
    public CompletableFuture<LaunchResult> outcome() {
        return outcome;
    }

    /**
     * Returns a future of the process's end. It is completed after the process has been reaped. Its dependents must not
     * block.
     */
    public CompletableFuture<End> exit() {
        return exit;
    }

    /**
     * Allows the launcher's execve, if the plan has {@link Plan#WAIT_BEFORE_EXEC}. Until then the program has not
     * executed an instruction.
     *
     * @return 0, or a negative errno; the launcher has then been killed
     */
    public int allowExec() {
        lock.lock();
        try {
            int result = outcome.isDone() ? 0 : launch.allowExec();
            if (result == 0 || result == -EPIPE) {
                return 0; // a launcher that has ended has reported its failure
            }
            launch.signal(Native.sigkill());
            return result;
        } finally {
            lock.unlock();
        }
    }

    /** Sends a signal. Returns 0 or a negative errno: {@code -ESRCH} after the process has been reaped. */
    public int signal(int signal) {
        lock.lock();
        try {
            return pidfd == NONE || end != null ? -ESRCH : launch.signal(signal);
        } finally {
            lock.unlock();
        }
    }

    /** Opens another pidfd. The pid can't belong to another process until this one has been reaped. */
    public int openPid(OpenedFiles opened) {
        lock.lock();
        try {
            return pidfd == NONE || end != null ? -ESRCH : opened.openPid(pid());
        } finally {
            lock.unlock();
        }
    }

    /** Sends a signal to the process group. It also works after the process's end if the pidfd is kept. */
    public int signalGroup(int signal) {
        lock.lock();
        try {
            return pidfd == NONE ? -ESRCH : launch.signalGroup(end != null, signal);
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether the process may lead a session: it does, or has been reaped, or getsid(2) is refused. */
    public boolean mayLeadSession() {
        lock.lock();
        try {
            int session = end != null ? -ESRCH : Native.getsid(pid());
            return session < 0 || session == pid();
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether the pid still belongs to the process or to its process group. */
    public boolean ownsPid() {
        return !isReaped() || signalGroup(0) == 0;
    }

    /** Returns whether the process has been reaped. From then on its pid may belong to another process. */
    public boolean isReaped() {
        lock.lock();
        try {
            return end != null;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the pidfd at the process's end, or now: the process group is not signaled any more. */
    public void release() {
        lock.lock();
        try {
            keepsPidfd = false;
            if (end != null) {
                closePidfd();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Arms both events: the hang-up of the plan socket and the exit. The first may occur before the second is armed.
     */
    private int arm(long handlerId) {
        lock.lock();
        try {
            id = handlerId;
            int socket = launch.socket();
            int result = socket == NONE ? 0 : Reaper.arm(socket, HANG_UP, id);
            return result < 0 ? result : Reaper.arm(pidfd, EXIT, id);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Opens a new pidfd if other code has closed it, since epoll would not report the end. If no pidfd can be opened,
     * other code has reaped the process; this is handled as its end.
     */
    @Override
    public void check(boolean isNewEpoll) {
        boolean lost;
        lock.lock();
        try {
            if (pidfd == NONE || end != null) {
                return;
            }
            int result = launch.reopenPidfd();
            lost = result < 0;
            pidfd = launch.pidfd();
            if (isNewEpoll && launch.socket() != NONE) {
                Reaper.arm(launch.socket(), HANG_UP, id);
            }
            if (result > 0 || isNewEpoll) {
                Reaper.arm(pidfd, EXIT, id);
            }
        } finally {
            lock.unlock();
        }
        if (lost) {
            onEvent(EXIT);
        }
    }

    @Override
    public void onEvent(int event) {
        updateOutcome();
        if (failed() || (event == EXIT && reap())) {
            Reaper.forget(id);
        } else if (event == EXIT) {
            Reaper.startPolling(this); // ended, but its tracer has to reap it first; the event would repeat until then
        }
    }

    /** Does the work for which there is no event, or whose event was lost. Returns whether it must be called again. */
    @Override
    public boolean poll() {
        updateOutcome();
        if (!outcome.isDone()) {
            continueIfStopped();
            return true;
        }
        if (failed() || reap()) {
            Reaper.forget(id);
            return false;
        }
        if (!isForgotten) {
            armExit();
        }
        return isForgotten;
    }

    /**
     * Continues a stopped launcher: a process of the helper's uid may have sent SIGSTOP. After too many stops, or in a
     * frozen cgroup, the launcher is killed.
     */
    private void continueIfStopped() {
        lock.lock();
        try {
            if (pidfd != NONE && end == null) {
                launch.continueIfStopped();
                setPidfd(launch.pidfd()); // other code may have closed it
            }
        } finally {
            lock.unlock();
        }
    }

    private void armExit() {
        lock.lock();
        try {
            if (pidfd != NONE && end == null) {
                Reaper.arm(pidfd, EXIT, id);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Kills the process and reaps it, since the reaper can't watch it. */
    private void killAndReap() {
        Reaper.forget(id);
        signal(Native.sigkill());
        for (updateOutcome(); !failed() && !reap(); updateOutcome()) {
            if (signal(Native.sigkill()) == -EPERM) {
                isForgotten = true;
                Reaper.startPolling(this); // it has another uid by now: it is reaped after its own end
                return;
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /**
     * Checks the outcome after a hang-up of the plan socket or the end of a process. A second process may have replaced
     * the first.
     */
    private void updateOutcome() {
        lock.lock();
        try {
            if (!outcome.isDone()) {
                boolean known = launch.pollOutcome();
                setPidfd(launch.pidfd());
                if (!known) {
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
        outcome.complete(launch); // repeated, since memory may have been lacking for a dependent
    }

    /** Takes over the pidfd of the second process, after the shim has reaped the first one and closed its pidfd. */
    private void setPidfd(int current) {
        if (current == pidfd) {
            return;
        }
        pidfd = current;
        if (pidfd != NONE) {
            Reaper.arm(pidfd, EXIT, id);
        }
    }

    /**
     * Reaps the process if it has ended. Returns whether nothing is left to watch. After a lack of memory it is called
     * again and continues with the steps that are not done.
     *
     * <p>It reaps only after the outcome is known. Otherwise the second process could end between the check of the
     * outcome and this call. Its failure would count as the helper's status, and the outcome would never be known.
     */
    private boolean reap() {
        lock.lock();
        try {
            if (!outcome.isDone()) {
                return false;
            }
            if (end == null && pidfd == NONE) {
                return true;
            }
            if (end == null && !tryReap()) {
                return false;
            }
            if (!keepsPidfd) {
                closePidfd();
            } else if (ownedPidfd == null) {
                ownedPidfd = OwnedDescriptor.of(this, pidfd); // the reaper does not refer to this object any more
            }
        } finally {
            lock.unlock();
        }
        exit.complete(end);
        return true;
    }

    /** Reaps the process without waiting. The result is allocated before, since a status can be read only once. */
    private boolean tryReap() {
        End ended = new End(new long[EXIT_FIELDS]);
        int result = launch.reap(ended.numbers);
        if (result == -EAGAIN) {
            return false;
        }
        if (result < 0) {
            ended.numbers[0] = Native.statusLost(); // a seccomp filter refuses, or other code has reaped it
        }
        end = ended;
        return true;
    }

    private void closePidfd() {
        if (pidfd != NONE) {
            if (ownedPidfd != null) {
                ownedPidfd.close();
            } else {
                launch.closePidfd();
            }
            pidfd = NONE;
        }
    }

    private boolean failed() {
        return outcome.isDone() && launch.result() < 0;
    }
}
