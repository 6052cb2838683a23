// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.Child;
import org.umh4j.internal.LaunchResult.Until;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.StartDeadline;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;

/**
 * One call from entry to return: the gate, the launch, the wait, cleanup. The counterpart of
 * {@code call_usermodehelper_exec()}.
 *
 * <p>There are two ways to wait. A platform thread whose wait is not killable waits in the JNI call that also starts
 * the helper. All other callers, virtual threads included, park until the reaper completes a future.
 */
final class Execution {
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int EBUSY = Errno.EBUSY.number();
    private static final int EPERM = Errno.EPERM.number();
    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINTR = Errno.EINTR.number();
    private static final int ENOENT = Errno.ENOENT.number();
    private static final int ECANCELED = Errno.ECANCELED.number();

    static {
        // Loads the classes of the failure path now: later there may be no descriptor to read a class file with.
        if (NativeLibrary.isLoaded()) {
            CallFailure.load();
            HelperEvents.load();
            Child.load();
        }
    }

    private Execution() {}

    static int exec(SubprocessInfo info, UmhWait wait) {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(wait, "wait");
        if (info.task().descriptors().filter(Descriptors::hasPipes).isPresent()) {
            throw new IllegalArgumentException("exec does not return the other ends of the pipes; use start or run");
        }
        if (info.isHeld()) { // only start() lets such a program begin
            throw new IllegalArgumentException("only start accepts a function for the created process");
        }
        NativeLibrary.require();
        info.begin();
        if (!info.hasPath()) {
            return refuse(info, UmhStage.SETUP, -EINVAL);
        }
        if (!info.isAllowed()) {
            return refuse(info, UmhStage.POLICY, -EPERM);
        }
        if (!HelperGate.enter()) {
            return refuse(info, UmhStage.DISABLED, -EBUSY);
        }
        try {
            return info.isEmptyPath() ? info.release(0) : execAdmitted(info, wait);
        } finally {
            HelperGate.leave();
        }
    }

    /** Ends a call that is refused at its entry. As in the kernel, its {@code retval} stays 0. */
    private static int refuse(SubprocessInfo info, UmhStage stage, int result) {
        CallFailure.of(info, stage, result, 0);
        info.release(0);
        return result;
    }

    /** Executes a call that has passed the gate. */
    private static int execAdmitted(SubprocessInfo info, UmhWait wait) {
        if (wait.isNoWait()) {
            return CallbackThreads.offer(() -> execNoWait(info)) ? 0 : refuse(info, UmhStage.WAIT, -EAGAIN);
        }
        boolean parks = wait.isKillable() || wait.isFreezable() || Launcher.mustNotBlock(info);
        return parks ? execParking(info, wait) : execBlocking(info, wait);
    }

    private static int execBlocking(SubprocessInfo info, UmhWait wait) {
        int retval = -ECANCELED;
        try {
            if (wait.isForProcess()) {
                retval = Completion.retval(Launcher.runToEnd(info));
            } else {
                Launcher.start(info, Until.EXEC, StartDeadline.endless());
                retval = 0;
            }
        } catch (UmhException e) {
            retval = e.retval();
        } finally {
            info.release(retval);
        }
        return retval;
    }

    private static int execParking(SubprocessInfo info, UmhWait wait) {
        Completion completion = new Completion(info);
        OptionalInt retval = OptionalInt.of(-ECANCELED);
        try {
            StartDeadline deadline = wait.isKillable() ? StartDeadline.untilInterrupted() : StartDeadline.endless();
            completion.follow(Launcher.start(info, Until.STARTED, deadline), wait.isForProcess());
            retval = wait.isFreezable()
                    ? HelperGate.freezableWait(() -> completion.await(wait.isKillable()))
                    : completion.await(wait.isKillable());
        } catch (UmhException e) {
            retval = OptionalInt.of(e.retval());
        } finally {
            retval.ifPresent(info::release);
        }
        return retval.orElse(-EINTR);
    }

    /** Executes a NO_WAIT call. Runs in a thread of the library. */
    private static void execNoWait(SubprocessInfo info) {
        Completion completion = new Completion(info);
        completion.stopWaiting();
        int retval = -ECANCELED;
        try {
            completion.follow(Launcher.start(info, Until.STARTED, StartDeadline.endless()), false);
            retval = 0;
        } catch (UmhException e) {
            retval = e.retval();
        } finally {
            if (retval != 0) {
                info.release(retval);
            }
        }
    }

    static Helper start(SubprocessInfo info) throws UmhException {
        return start(info, StartDeadline.endless());
    }

    /** Starts a helper within a deadline, which records whether the time or an interrupt has ended it. */
    static Helper start(SubprocessInfo info, StartDeadline deadline) throws UmhException {
        Objects.requireNonNull(info, "info");
        if (info.task().scope() == KillScope.CGROUP) {
            CgroupKill.requirePath(info.task().limits().cgroupPath().orElse(null));
        }
        Descriptors descriptors = info.task().descriptors().orElse(Descriptors.devNull());
        NativeLibrary.require();
        info.task(info.task().descriptors(descriptors));
        info.begin();
        Pipes pipes = descriptors.hasPipes() ? new Pipes() : Pipes.none();
        Helper helper = null;
        int retval = -ECANCELED;
        try {
            helper = new Helper(info, enterAndStart(info, pipes, deadline), pipes);
            retval = 0;
            return helper;
        } catch (UmhException e) {
            retval = e.retval();
            throw e;
        } finally {
            releaseStarted(info, retval, helper, pipes);
        }
    }

    private static Child enterAndStart(SubprocessInfo info, Pipes pipes, StartDeadline deadline) throws UmhException {
        if (!info.hasPath()) {
            throw CallFailure.of(info, UmhStage.SETUP, -EINVAL, 0);
        }
        if (!info.isAllowed()) {
            throw CallFailure.of(info, UmhStage.POLICY, -EPERM, 0);
        }
        if (!HelperGate.enter()) {
            throw CallFailure.of(info, UmhStage.DISABLED, -EBUSY, 0);
        }
        try {
            if (info.isEmptyPath()) {
                throw CallFailure.of(info, UmhStage.SETUP, -ENOENT, 0);
            }
            boolean parks = Launcher.mustNotBlock(info);
            Child child = Launcher.start(
                    info,
                    parks ? Until.STARTED : Until.EXEC,
                    pipes,
                    info.task().scope() != KillScope.PROCESS,
                    deadline);
            int result = letProgramBegin(info, child);
            if (result < 0) {
                child.outcome().join(); // its own failure, KILLED, is a consequence of this one
                throw CallFailure.of(info, UmhStage.EXEC, result, 0);
            }
            if (parks) {
                Launcher.awaitOutcome(info, child, deadline);
            }
            return child;
        } finally {
            HelperGate.leave();
        }
    }

    /** Calls the function for the created process, if the call has one, and then lets the program begin. */
    private static int letProgramBegin(SubprocessInfo info, Child child) {
        LongConsumer onCreated = info.onCreated();
        if (onCreated == null) {
            return 0;
        }
        onCreated.accept(child.pid());
        return child.allowExec();
    }

    /**
     * Runs cleanup, and closes the pipes if there is no helper. If cleanup throws, the caller does not receive the
     * helper, so it is closed.
     */
    private static void releaseStarted(SubprocessInfo info, int retval, @Nullable Helper helper, Pipes pipes) {
        boolean returned = false;
        try {
            info.release(retval);
            returned = helper != null;
        } finally {
            if (!returned) {
                pipes.close();
            }
            if (!returned && helper != null) {
                helper.close();
            }
        }
    }
}
