// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A process that the {@link Reaper} watches: from its start until it has been reaped.
 *
 * <p>One lock guards its descriptors. The pidfd is closed when the process has been reaped, and a signal takes the same
 * lock; so a signal reaches this process or none. Where the process's group shall be reached after its end, the pidfd
 * stays open until {@link #release}.
 */
public final class Child implements Watcher {
    /** How a process ended: the wait status, and what it has used; see enum umh_exit of jni/bridge.h. */
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
    private static final int NUMBERS = Native.exitCount();

    @SuppressWarnings("NullAway.Init") // by begin()
    private LaunchResult launch;

    private final CompletableFuture<LaunchResult> outcome = new CompletableFuture<>();
    private final CompletableFuture<End> exit = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private int pidfd;
    private long id = NONE;
    private boolean keepsPidfd;
    /** Its number is forgotten: no event tells of it, only a look. */
    private boolean discarded;

    private @Nullable HeldDescriptor kept;
    /** Null until it has been reaped. */
    private @Nullable End end;

    /**
     * Made before there is a process, for which there might be no memory afterwards.
     *
     * @param keepsPidfd whether its group shall be told from a later one after its end too, until {@link #release}
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
     * @return false if there was no memory for the watch, or the kernel refused it; then the process was killed and
     *     reaped
     */
    public boolean watch(LaunchResult started) {
        begin(started);
        if (isWatched()) {
            return true;
        }
        Reaper.stopLookingAfter(this);
        discard();
        return false;
    }

    private boolean isWatched() {
        try {
            if (arm(Reaper.register(this)) < 0) {
                return false;
            }
            if (!outcome.isDone()) { // only after its events are armed: a check may change its descriptors
                Reaper.lookAfter(this);
                outcome.thenRun(() -> Reaper.stopLookingAfter(this));
                Reaper.lookSoon();
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

    /** When its launch began, as {@link System#nanoTime} counts. */
    public long beginNanos() {
        return launch.beginNanos();
    }

    /** Complete when the program is in place, or known not to be. Dependents must not block: they run in the reaper. */
    public CompletableFuture<LaunchResult> outcome() {
        return outcome;
    }

    /** Complete when the process has been reaped. Dependents must not block. */
    public CompletableFuture<End> exit() {
        return exit;
    }

    /**
     * Lets the program begin, if the plan said to hold it; before that it has not executed an instruction.
     *
     * @return 0, or the negative errno with which the launcher could not be told, and then it is killed
     */
    public int go() {
        lock.lock();
        try {
            int result = outcome.isDone() ? 0 : launch.go();
            if (result == 0 || result == -EPIPE) {
                return 0; // a launcher that is gone has said why
            }
            launch.signal(Native.sigkill());
            return result;
        } finally {
            lock.unlock();
        }
    }

    /** 0, or a negative errno: {@code -ESRCH} when the process has ended. */
    public int signal(int signal) {
        lock.lock();
        try {
            return pidfd == NONE || end != null ? -ESRCH : launch.signal(signal);
        } finally {
            lock.unlock();
        }
    }

    /** Opens another pidfd. As long as the process has not been reaped, its pid is not another process's. */
    public int openPid(OpenedFiles opened) {
        lock.lock();
        try {
            return pidfd == NONE || end != null ? -ESRCH : opened.openPid(pid());
        } finally {
            lock.unlock();
        }
    }

    /** The same for the process's group, also after the process's end if the pidfd is kept. */
    public int signalGroup(int signal) {
        lock.lock();
        try {
            return pidfd == NONE ? -ESRCH : launch.signalGroup(end != null, signal);
        } finally {
            lock.unlock();
        }
    }

    /** Whether a session could be this process's: it leads one, or has been reaped, or nobody may ask. */
    public boolean mayLeadSession() {
        lock.lock();
        try {
            int session = end != null ? -ESRCH : Native.getsid(pid());
            return session < 0 || session == pid();
        } finally {
            lock.unlock();
        }
    }

    /** Whether its number is still the one of its process, or at least of its group. */
    public boolean holdsNumber() {
        return !isReaped() || signalGroup(0) == 0;
    }

    /** Whether it has been reaped: from that moment its number may be another process's. */
    public boolean isReaped() {
        lock.lock();
        try {
            return end != null;
        } finally {
            lock.unlock();
        }
    }

    /** From now on nobody asks for the group after the end. */
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

    /** Asks for both events, by the child's number. The first may be there before the second is asked for. */
    private int arm(long number) {
        lock.lock();
        try {
            id = number;
            int socket = launch.socket();
            int result = socket == NONE ? 0 : Reaper.arm(socket, HANG_UP, id);
            return result < 0 ? result : Reaper.arm(pidfd, EXIT, id);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Other code may close the pidfd, and then epoll does not report the end: a new pidfd is opened. If none can be
     * opened, other code has reaped the process, which is treated as its end.
     */
    @Override
    public void check(boolean unwatched) {
        boolean lost;
        lock.lock();
        try {
            if (pidfd == NONE || end != null) {
                return;
            }
            int result = launch.regain();
            lost = result < 0;
            pidfd = launch.pidfd();
            if (unwatched && launch.socket() != NONE) {
                Reaper.arm(launch.socket(), HANG_UP, id);
            }
            if (result > 0 || unwatched) {
                Reaper.arm(pidfd, EXIT, id);
            }
        } finally {
            lock.unlock();
        }
        if (lost) {
            happened(EXIT);
        }
    }

    @Override
    public void happened(int event) {
        decide();
        if (failed() || (event == EXIT && reap())) {
            Reaper.forget(id);
        } else if (event == EXIT) {
            Reaper.lookAfter(this); // ended, and not ours to reap before whoever traces it has: the event would not end
        }
    }

    /** Does the work for which there is no event, or whose event was lost. Returns whether to call it again. */
    @Override
    public boolean lookAfter() {
        decide();
        if (!outcome.isDone()) {
            continueStopped();
            return true;
        }
        if (failed() || reap()) {
            Reaper.forget(id);
            return false;
        }
        if (!discarded) {
            armExit();
        }
        return discarded;
    }

    /**
     * The user that the launcher has become may have stopped it: continues it, or kills it after too many stops or when
     * it is frozen.
     */
    private void continueStopped() {
        lock.lock();
        try {
            if (pidfd != NONE && end == null) {
                launch.lookAfter();
                follow(launch.pidfd()); // other code may have closed it
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

    /** Nobody will be told of its end: it has to end now. */
    private void discard() {
        Reaper.forget(id);
        signal(Native.sigkill());
        for (decide(); !failed() && !reap(); decide()) {
            if (signal(Native.sigkill()) == -EPERM) {
                discarded = true;
                Reaper.lookAfter(this); // another user's by now: it is reaped when it ends
                return;
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** The plan socket was hung up, or the process has ended: either decides the launch, or tells of a successor. */
    private void decide() {
        lock.lock();
        try {
            if (!outcome.isDone()) {
                boolean known = launch.decide();
                follow(launch.pidfd());
                if (!known) {
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
        outcome.complete(launch); // also when it was: memory may have been lacking for who waits
    }

    /** The shim has reaped one process and closed its pidfd; another one may have taken its place. */
    private void follow(int current) {
        if (current == pidfd) {
            return;
        }
        pidfd = current;
        if (pidfd != NONE) {
            Reaper.arm(pidfd, EXIT, id);
        }
    }

    /**
     * Reaps the process if it has ended; true when there is nothing more to watch. Where memory was lacking it is called
     * again, and goes on with what was not yet done.
     *
     * <p>It reaps only after the outcome is known. Between a check of the outcome and this one the successor of the
     * first process may end. Its failure would then count as a helper's status, and the launch would stay undecided for
     * ever.
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
            if (end == null && !hasEnded()) {
                return false;
            }
            if (!keepsPidfd) {
                closePidfd();
            } else if (kept == null) {
                kept = HeldDescriptor.of(this, pidfd); // the reaper will not know of us any more
            }
        } finally {
            lock.unlock();
        }
        exit.complete(end);
        return true;
    }

    /** All memory is taken before: a status can be had once. */
    private boolean hasEnded() {
        End ended = new End(new long[NUMBERS]);
        int result = launch.reap(ended.numbers);
        if (result == -EAGAIN) {
            return false;
        }
        if (result < 0) {
            ended.numbers[0] = Native.statusLost(); // a filter, or a thief of descriptors: nothing is known
        }
        end = ended;
        return true;
    }

    private void closePidfd() {
        if (pidfd != NONE) {
            if (kept != null) {
                kept.close();
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
