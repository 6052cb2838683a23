// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import org.umh4j.internal.Child;
import org.umh4j.internal.Host;
import org.umh4j.internal.LaunchResult;
import org.umh4j.internal.LaunchResult.Until;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.Reaper;
import org.umh4j.internal.StageFailure;
import org.umh4j.internal.Stages;
import org.umh4j.internal.StartDeadline;
import org.umh4j.internal.VirtualThreads;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Cred;
import org.umh4j.task.PlanWriter;

/** From a call to a process: init, the plan, the launch. What goes wrong is noted in the call and thrown. */
final class Launcher {
    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int ENOMEM = Errno.ENOMEM.number();

    private Launcher() {}

    /**
     * Whether the caller must not block: a virtual thread, the one thread that ties helpers to the JVM, or who has to say
     * that the program may begin.
     */
    static boolean parks(SubprocessInfo info) {
        return VirtualThreads.isCurrent() || info.task().signals().hasParentDeathSignal() || info.isHeld();
    }

    /** Starts a process that nobody will have a handle of. */
    static Child child(SubprocessInfo info, Until until, StartDeadline patience) throws UmhException {
        return child(info, until, Pipes.none(), false, patience);
    }

    /** Starts a process that the reaper knows of. Its outcome is known, unless it was to be started only. */
    static Child child(SubprocessInfo info, Until until, Pipes pipes, boolean keepsPidfd, StartDeadline patience)
            throws UmhException {
        Cred cred = credentials(info);
        if (!Reaper.hold()) {
            throw CallFailure.of(info, UmhStage.WAIT, -EAGAIN, 0);
        }
        try {
            Child child = new Child(keepsPidfd);
            if (!Reaper.watch(child, launch(info, cred, until, pipes, patience))) {
                throw CallFailure.of(info, UmhStage.WAIT, -ENOMEM, 0);
            }
            if (until == Until.EXEC) {
                awaitOutcome(info, child, patience);
            }
            HelperEvents.started(info, child);
            return child;
        } finally {
            Reaper.release();
        }
    }

    /**
     * Waits until {@code execve} has succeeded. If the caller's patience ends before, the process is killed and is not
     * a helper.
     */
    static void awaitOutcome(SubprocessInfo info, Child child, StartDeadline patience) throws UmhException {
        int result = patience.await(child.outcome());
        if (result < 0) {
            child.signal(Signal.KILL.number());
            StartDeadline.comes(child.outcome(), Helper.CLOSE_TIMEOUT.toNanos());
            throw CallFailure.of(info, UmhStage.EXEC, result, 0);
        }
        require(info, child.outcome().join());
    }

    /**
     * Runs a process to its end and returns the wait status. One JNI call does it, unless a listener must be notified
     * of the start.
     */
    static int status(SubprocessInfo info) throws UmhException {
        if (HelperEvents.areStartsAwaited()) {
            return child(info, Until.EXEC, StartDeadline.endless())
                    .exit()
                    .join()
                    .status();
        }
        Cred cred = credentials(info);
        long begin = System.nanoTime();
        boolean watched =
                info.task().limits().hasCgroup() && Reaper.hold(); // the reaper ends what a frozen cgroup holds
        int status;
        try {
            status = launch(info, cred, Until.EXIT, Pipes.none(), StartDeadline.endless())
                    .status();
        } finally {
            if (watched) {
                Reaper.release();
            }
        }
        HelperEvents.ran(info, status, System.nanoTime() - begin);
        return status;
    }

    static LaunchResult require(SubprocessInfo info, LaunchResult launch) throws UmhException {
        if (launch.result() < 0) {
            throw CallFailure.of(info, Stages.of(launch.stage()), launch.result(), launch.detail());
        }
        info.started(launch.pid());
        info.executed(launch.unapplied());
        return launch;
    }

    private static LaunchResult launch(SubprocessInfo info, Cred cred, Until until, Pipes pipes, StartDeadline patience)
            throws UmhException {
        if (info.argc() == 0) {
            throw CallFailure.of(info, UmhStage.SETUP, -EINVAL, 0);
        }
        try (OpenedFiles opened = new OpenedFiles(patience)) {
            Plan plan = plan(info, cred, opened, pipes);
            int limit = patience.leftMillis();
            LaunchResult launch = info.task().signals().hasParentDeathSignal()
                    ? Reaper.call(
                            () -> LaunchResult.start(info.strings(), info.argc(), info.envc(), plan, until, limit))
                    : LaunchResult.start(info.strings(), info.argc(), info.envc(), plan, until, limit);
            return require(info, launch);
        }
    }

    private static Plan plan(SubprocessInfo info, Cred cred, OpenedFiles opened, Pipes pipes) throws UmhException {
        int flags =
                (info.isHeld() ? Plan.WAIT_BEFORE_EXEC : 0) | (HelperEvents.areStartsRecorded() ? Plan.REPORT_TIME : 0);
        try {
            return PlanWriter.write(info.task(), cred, info.blob(), flags, opened, pipes);
        } catch (StageFailure e) {
            throw CallFailure.of(info, e);
        }
    }

    /** The policy is applied before init, as in the kernel; and after it, so that init can't undo it. */
    private static Cred credentials(SubprocessInfo info) throws UmhException {
        CapabilitySet bset = UmhSysctl.bset();
        CapabilitySet inheritable = UmhSysctl.inheritable();
        Cred cred = info.task().cred().restrictedTo(bset, inheritable);
        if (info.init() == null) {
            return cred;
        }
        try {
            Cred offered = cred.bounding(cred.bounding().intersect(new CapabilitySet(Host.bounding())));
            Cred chosen = info.init().init(info, offered);
            Objects.requireNonNull(chosen, "init answered null; it answers the credentials");
            return chosen.restrictedTo(bset, inheritable);
        } catch (InitException e) {
            throw CallFailure.of(info, UmhStage.INIT, e.retval(), 0);
        }
    }
}
