// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A process that the {@link Reaper} watches: from its start until it has been reaped.
 *
 * <p>One lock guards its descriptors. The pidfd is closed the moment the process has been reaped, and a signal takes
 * the same lock; so a signal reaches this process or none.
 */
public final class Child {
    private static final int NONE = -1;
    private static final int EAGAIN = Native.eagain();
    private static final int ESRCH = Native.esrch();
    private static final int HANG_UP = Native.hangUp();
    private static final int EXIT = Native.exit();

    private final Launch launch;
    private final CompletableFuture<Launch> outcome = new CompletableFuture<>();
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private int pidfd;
    private long id;

    Child(Launch launch) {
        this.launch = launch;
        this.pidfd = launch.pidfd();
        if (launch.socket() == NONE) {
            outcome.complete(launch);
        }
    }

    public int pid() {
        return launch.pid();
    }

    /** Complete when the program is in place, or known not to be. Dependents must not block: they run in the reaper. */
    public CompletableFuture<Launch> outcome() {
        return outcome;
    }

    /** Complete with the wait status when the process has been reaped. Dependents must not block. */
    public CompletableFuture<Integer> exit() {
        return exit;
    }

    /** 0, or a negative errno: {@code -ESRCH} when the process has ended. */
    public int signal(int signal) {
        lock.lock();
        try {
            return pidfd == NONE ? -ESRCH : Native.signal(pidfd, signal);
        } finally {
            lock.unlock();
        }
    }

    /** Has the reaper told of both events, by the child's number. The first may be there before the second is asked for. */
    int watch(long id) {
        lock.lock();
        try {
            int socket = launch.socket();
            int result = socket == NONE ? 0 : Native.watch(socket, HANG_UP, Reaper.token(id, HANG_UP));
            return result < 0 ? result : Native.watch(pidfd, EXIT, Reaper.token(id, EXIT));
        } finally {
            lock.unlock();
        }
    }

    /** The plan socket was hung up, or the process has ended: either decides the launch, or tells of a successor. */
    void decide() {
        lock.lock();
        try {
            if (outcome.isDone()) {
                return;
            }
            boolean known = launch.decide();
            follow(launch.pidfd());
            if (!known) {
                return;
            }
        } finally {
            lock.unlock();
        }
        outcome.complete(launch);
    }

    /** The shim has reaped one process and closed its pidfd; another one may have taken its place. */
    private void follow(int current) {
        if (current == pidfd) {
            return;
        }
        pidfd = current;
        if (pidfd != NONE) {
            Native.watch(pidfd, EXIT, Reaper.token(id, EXIT));
        }
    }

    /** Reaps the process if it has ended; true when there is nothing more to watch. */
    boolean reap() {
        int[] status = new int[1];
        lock.lock();
        try {
            if (pidfd == NONE) {
                return true;
            }
            if (Native.reap(pidfd, status) == -EAGAIN) {
                return false;
            }
            Native.close(pidfd);
            pidfd = NONE;
        } finally {
            lock.unlock();
        }
        exit.complete(status[0]);
        return true;
    }

    boolean failed() {
        return outcome.isDone() && launch.result() < 0;
    }
}
