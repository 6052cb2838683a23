// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import org.umh4j.internal.Child;
import org.umh4j.internal.Host;
import org.umh4j.internal.Launch;
import org.umh4j.internal.Launch.Until;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Patience;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.Reaper;
import org.umh4j.internal.VirtualThreads;

/** From a call to a process: init, the plan, the launch. What goes wrong is noted in the call and thrown. */
final class Launching {
    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int ENOMEM = Errno.ENOMEM.number();

    private Launching() {}

    /**
     * Whether the caller must not block: a virtual thread, the one thread that ties helpers to the JVM, or who has to say
     * that the program may begin.
     */
    static boolean parks(SubprocessInfo info) {
        return VirtualThreads.isCurrent() || info.signals().isTiedToJvm() || info.isHeld();
    }

    /** Starts a process that nobody will have a handle of. */
    static Child child(SubprocessInfo info, Until until, Patience patience) throws UmhException {
        return child(info, until, Pipes.none(), false, patience);
    }

    /** Starts a process that the reaper knows of. Its outcome is known, unless it was to be started only. */
    static Child child(SubprocessInfo info, Until until, Pipes pipes, boolean keepsPidfd, Patience patience)
            throws UmhException {
        Cred cred = credentials(info);
        if (!Reaper.hold()) {
            throw info.failed(UmhStage.WAIT, -EAGAIN, 0);
        }
        try {
            Child child = new Child(keepsPidfd);
            if (!Reaper.watch(child, launch(info, cred, until, pipes, patience))) {
                throw info.failed(UmhStage.WAIT, -ENOMEM, 0);
            }
            if (until == Until.EXEC) {
                awaitOutcome(info, child, patience);
            }
            Events.started(info, child);
            return child;
        } finally {
            Reaper.release();
        }
    }

    /**
     * Waits until {@code execve} has succeeded. If the caller's patience ends before, the process is killed and is not
     * a helper.
     */
    static void awaitOutcome(SubprocessInfo info, Child child, Patience patience) throws UmhException {
        int result = patience.await(child.outcome());
        if (result < 0) {
            child.signal(Signal.KILL.number());
            Patience.comes(child.outcome(), Helper.CLOSE_TIMEOUT.toNanos());
            throw info.failed(UmhStage.EXEC, result, 0);
        }
        require(info, child.outcome().join());
    }

    /**
     * Runs a process to its end and returns the wait status. One JNI call does it, unless a listener must be notified
     * of the start.
     */
    static int status(SubprocessInfo info) throws UmhException {
        if (Events.areStartsAwaited()) {
            return child(info, Until.EXEC, Patience.endless()).exit().join().status();
        }
        Cred cred = credentials(info);
        long begin = System.nanoTime();
        boolean watched = info.limits().hasCgroup() && Reaper.hold(); // the reaper ends what a frozen cgroup holds
        int status;
        try {
            status = launch(info, cred, Until.EXIT, Pipes.none(), Patience.endless()).status();
        } finally {
            if (watched) {
                Reaper.release();
            }
        }
        Events.ran(info, status, System.nanoTime() - begin);
        return status;
    }

    static Launch require(SubprocessInfo info, Launch launch) throws UmhException {
        if (launch.result() < 0) {
            throw info.failed(UmhStage.of(launch.stage()), launch.result(), launch.detail());
        }
        info.started(launch.pid());
        info.arrived(launch.kept());
        return launch;
    }

    private static Launch launch(SubprocessInfo info, Cred cred, Until until, Pipes pipes, Patience patience)
            throws UmhException {
        if (info.argc() == 0) {
            throw info.failed(UmhStage.SETUP, -EINVAL, 0);
        }
        try (OpenedFiles opened = new OpenedFiles(patience)) {
            Plan plan = BornState.plan(info, cred, opened, pipes);
            int limit = patience.leftMillis();
            Launch launch = info.signals().isTiedToJvm()
                    ? Reaper.call(() -> Launch.start(info.strings(), info.argc(), info.envc(), plan, until, limit))
                    : Launch.start(info.strings(), info.argc(), info.envc(), plan, until, limit);
            return require(info, launch);
        }
    }

    /** The policy is applied before init, as in the kernel; and after it, so that init can't undo it. */
    private static Cred credentials(SubprocessInfo info) throws UmhException {
        CapabilitySet bset = UmhSysctl.bset();
        CapabilitySet inheritable = UmhSysctl.inheritable();
        Cred cred = info.cred().cutBy(bset, inheritable);
        if (info.init() == null) {
            return cred;
        }
        try {
            Cred offered = cred.bounding(cred.bounding().intersect(new CapabilitySet(Host.bounding())));
            Cred chosen = info.init().init(info, offered);
            Objects.requireNonNull(chosen, "init answered null; it answers the credentials");
            return chosen.cutBy(bset, inheritable);
        } catch (InitFailure e) {
            throw info.failed(UmhStage.INIT, e.retval(), 0);
        }
    }
}
