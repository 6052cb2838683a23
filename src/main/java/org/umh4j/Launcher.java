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
import org.umh4j.internal.StartDeadline;
import org.umh4j.internal.VirtualThreads;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Cred;
import org.umh4j.task.PlanWriter;

/**
 * Turns a call into a process: runs init, writes the plan, launches. A failure is recorded in the call and thrown.
 */
final class Launcher {
    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int ENOMEM = Errno.ENOMEM.number();

    private Launcher() {}

    /**
     * Whether the launch must not block in the kernel until {@code execve}: the caller is a virtual thread, or the
     * reaper launches for it, or the caller must still let the program begin.
     */
    static boolean mustNotBlock(SubprocessInfo info) {
        return VirtualThreads.isCurrent() || info.task().signals().hasParentDeathSignal() || info.isHeld();
    }

    /** Starts a process that no {@link Helper} will refer to. */
    static Child start(SubprocessInfo info, Until until, StartDeadline deadline) throws UmhException {
        return start(info, until, Pipes.none(), false, deadline);
    }

    /**
     * Starts a process that the reaper watches. The outcome of the child is complete unless {@code until} is STARTED.
     */
    static Child start(SubprocessInfo info, Until until, Pipes pipes, boolean keepsPidfd, StartDeadline deadline)
            throws UmhException {
        Cred cred = credentials(info);
        if (!Reaper.holdThread()) {
            throw CallFailure.of(info, UmhStage.WAIT, -EAGAIN, 0);
        }
        try {
            Child child = new Child(keepsPidfd);
            if (!child.watch(launch(info, cred, until, pipes, deadline))) {
                throw CallFailure.of(info, UmhStage.WAIT, -ENOMEM, 0);
            }
            if (until == Until.EXEC) {
                awaitOutcome(info, child, deadline);
            }
            HelperEvents.started(info, child);
            return child;
        } finally {
            Reaper.releaseThread();
        }
    }

    /** Waits until {@code execve} has succeeded. If the deadline expires before, the process is killed. */
    static void awaitOutcome(SubprocessInfo info, Child child, StartDeadline deadline) throws UmhException {
        int result = deadline.await(child.outcome());
        if (result < 0) {
            child.signal(Signal.KILL.number());
            StartDeadline.completesWithin(child.outcome(), Timeouts.CLOSE.toNanos());
            throw CallFailure.of(info, UmhStage.EXEC, result, 0);
        }
        requireSuccess(info, child.outcome().join());
    }

    /**
     * Runs a process to its end and returns the wait status. It takes one JNI call, unless a listener must be
     * notified of the start.
     */
    static int runToEnd(SubprocessInfo info) throws UmhException {
        if (HelperEvents.areStartsAwaited()) {
            return start(info, Until.EXEC, StartDeadline.endless())
                    .exit()
                    .join()
                    .status();
        }
        Cred cred = credentials(info);
        long begin = System.nanoTime();
        // The JNI call blocks while the cgroup is frozen; the reaper kills the process then.
        boolean reaperHeld = info.task().limits().hasCgroup() && Reaper.holdThread();
        int status;
        try {
            status = launch(info, cred, Until.EXIT, Pipes.none(), StartDeadline.endless())
                    .status();
        } finally {
            if (reaperHeld) {
                Reaper.releaseThread();
            }
        }
        HelperEvents.ranToEnd(info, status, System.nanoTime() - begin);
        return status;
    }

    private static LaunchResult requireSuccess(SubprocessInfo info, LaunchResult launch) throws UmhException {
        if (launch.result() < 0) {
            throw CallFailure.of(info, launch);
        }
        info.recordPid(launch.pid());
        info.recordUnapplied(launch.unapplied());
        return launch;
    }

    private static LaunchResult launch(SubprocessInfo info, Cred cred, Until until, Pipes pipes, StartDeadline deadline)
            throws UmhException {
        if (info.argc() == 0) {
            throw CallFailure.of(info, UmhStage.SETUP, -EINVAL, 0);
        }
        try (OpenedFiles opened = new OpenedFiles(deadline)) {
            Plan plan = plan(info, cred, opened, pipes);
            int timeoutMillis = deadline.remainingMillis();
            LaunchResult launch = info.task().signals().hasParentDeathSignal()
                    ? Reaper.call(() ->
                            LaunchResult.start(info.strings(), info.argc(), info.envc(), plan, until, timeoutMillis))
                    : LaunchResult.start(info.strings(), info.argc(), info.envc(), plan, until, timeoutMillis);
            return requireSuccess(info, launch);
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

    /** The policy is applied before init, as the kernel does, and again after it, so that init can't extend it. */
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
            Objects.requireNonNull(chosen, "the init function returned null; it must return credentials");
            return chosen.restrictedTo(bset, inheritable);
        } catch (InitException e) {
            throw CallFailure.of(info, UmhStage.INIT, e.retval(), 0);
        }
    }
}
