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
import org.umh4j.internal.Reaper;
import org.umh4j.internal.StartDeadline;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;

/**
 * One call from entry to return: gate, launch, wait, cleanup. The counterpart of {@code call_usermodehelper_exec()}.
 *
 * <p>There are two ways to wait. A platform thread that can't be interrupted waits inside the one crossing that also
 * starts the helper. All others, virtual threads among them, park until the reaper has news.
 */
final class Execution {
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int EBUSY = Errno.EBUSY.number();
    private static final int EPERM = Errno.EPERM.number();
    private static final int EAGAIN = Errno.EAGAIN.number();
    private static final int EINTR = Errno.EINTR.number();
    private static final int ENOENT = Errno.ENOENT.number();
    private static final int ECHILD = Errno.ECHILD.number();
    private static final int ECANCELED = Errno.ECANCELED.number();

    static {
        // Loads the classes of the failure path now: later there may be no descriptor left to load a class with.
        if (NativeLibrary.isLoaded()) {
            UmhException.load();
            HelperEvents.load();
            Reaper.load();
        }
    }

    private Execution() {}

    static int exec(SubprocessInfo info, UmhWait wait) {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(wait, "wait");
        if (info.task().descriptors().filter(Descriptors::hasPipes).isPresent()) {
            throw new IllegalArgumentException("nobody would have the other end of the pipes; use start or run");
        }
        if (info.isHeld()) { // start() alone lets its program begin
            throw new IllegalArgumentException("a function for the created process goes with start alone");
        }
        NativeLibrary.require();
        info.take();
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
            return info.isEmptyPath() ? info.release(0) : entered(info, wait);
        } finally {
            HelperGate.leave();
        }
    }

    /** Ends a call that was refused at its entry: the kernel has no retval for it yet. */
    private static int refuse(SubprocessInfo info, UmhStage stage, int result) {
        CallFailure.of(info, stage, result, 0);
        info.release(0);
        return result;
    }

    private static int entered(SubprocessInfo info, UmhWait wait) {
        if (wait.isNoWait()) {
            return CallbackThreads.offer(() -> unattended(info)) ? 0 : refuse(info, UmhStage.WAIT, -EAGAIN);
        }
        boolean parks = wait.isKillable() || wait.isFreezable() || Launcher.parks(info);
        return parks ? parked(info, wait) : blocking(info, wait);
    }

    private static int blocking(SubprocessInfo info, UmhWait wait) {
        int retval = -ECANCELED;
        try {
            if (wait.isForProcess()) {
                retval = retval(Launcher.status(info));
            } else {
                Launcher.child(info, Until.EXEC, StartDeadline.endless());
                retval = 0;
            }
        } catch (UmhException e) {
            retval = e.retval();
        } finally {
            info.release(retval);
        }
        return retval;
    }

    private static int parked(SubprocessInfo info, UmhWait wait) {
        Completion completion = new Completion(info);
        OptionalInt retval = OptionalInt.of(-ECANCELED);
        try {
            StartDeadline patience = wait.isKillable() ? StartDeadline.untilInterrupted() : StartDeadline.endless();
            completion.follow(Launcher.child(info, Until.STARTED, patience), wait.isForProcess());
            retval = wait.isFreezable()
                    ? HelperGate.freezable(() -> completion.await(wait.isKillable()))
                    : completion.await(wait.isKillable());
        } catch (UmhException e) {
            retval = OptionalInt.of(e.retval());
        } finally {
            retval.ifPresent(info::release);
        }
        return retval.orElse(-EINTR);
    }

    /** NO_WAIT, in a thread of our own: everything happens later. */
    private static void unattended(SubprocessInfo info) {
        Completion completion = new Completion(info);
        completion.leave();
        int retval = -ECANCELED;
        try {
            completion.follow(Launcher.child(info, Until.STARTED, StartDeadline.endless()), false);
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

    /** The same with a bound; {@code patience} holds how the wait ended. */
    static Helper start(SubprocessInfo info, StartDeadline patience) throws UmhException {
        Objects.requireNonNull(info, "info");
        if (info.task().scope() == KillScope.CGROUP
                && info.task().limits().cgroupPath().isEmpty()) {
            throw new IllegalArgumentException("the scope is a cgroup, and the call has named none by its path");
        }
        Descriptors descriptors = info.task().descriptors().orElse(Descriptors.devNull());
        NativeLibrary.require();
        info.task(info.task().descriptors(descriptors));
        info.take();
        Pipes pipes = descriptors.hasPipes() ? new Pipes() : Pipes.none();
        Helper helper = null;
        int retval = -ECANCELED;
        try {
            helper = new Helper(info, enterAndStart(info, pipes, patience), pipes);
            retval = 0;
            return helper;
        } catch (UmhException e) {
            retval = e.retval();
            throw e;
        } finally {
            releaseStarted(info, retval, helper, pipes);
        }
    }

    private static Child enterAndStart(SubprocessInfo info, Pipes pipes, StartDeadline patience) throws UmhException {
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
            boolean parks = Launcher.parks(info);
            Child child = Launcher.child(
                    info,
                    parks ? Until.STARTED : Until.EXEC,
                    pipes,
                    info.task().scope() != KillScope.PROCESS,
                    patience);
            int told = letBegin(info, child);
            if (told < 0) {
                child.outcome().join(); // it was killed, which is not the reason
                throw CallFailure.of(info, UmhStage.EXEC, told, 0);
            }
            if (parks) {
                Launcher.awaitOutcome(info, child, patience);
            }
            return child;
        } finally {
            HelperGate.leave();
        }
    }

    /** Calls the caller's function with the pid before the program begins, if there is one. */
    private static int letBegin(SubprocessInfo info, Child child) {
        LongConsumer created = info.created();
        if (created == null) {
            return 0;
        }
        created.accept(child.pid());
        return child.go();
    }

    /** Without a helper its pipes are closed. When cleanup throws, nobody gets the helper: it is not left running. */
    private static void releaseStarted(SubprocessInfo info, int retval, @Nullable Helper helper, Pipes pipes) {
        boolean kept = false;
        try {
            info.release(retval);
            kept = helper != null;
        } finally {
            if (!kept) {
                pipes.close();
            }
            if (!kept && helper != null) {
                helper.close();
            }
        }
    }

    /** The raw status as the kernel returns it; a lost one as wait(2) says it. */
    static int retval(int status) {
        return status == WaitStatus.LOST.raw() ? -ECHILD : status;
    }
}
