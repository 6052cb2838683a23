// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.LongConsumer;
import org.umh4j.internal.Child;
import org.umh4j.internal.Launch.Until;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.internal.Nullable;
import org.umh4j.internal.Patience;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Reaper;
import org.umh4j.internal.Workers;

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
            Events.load();
            Reaper.load();
        }
    }

    private Execution() {}

    static int exec(SubprocessInfo info, UmhWait wait) {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(wait, "wait");
        if (info.files().hasPipes()) {
            throw new IllegalArgumentException("nobody would have the other end of the pipes; use start or run");
        }
        if (info.isHeld()) { // start() alone lets its program begin
            throw new IllegalArgumentException("a function for the created process goes with start alone");
        }
        NativeLibrary.require();
        info.take();
        if (!info.hasPath()) {
            return info.refuse(UmhStage.SETUP, -EINVAL);
        }
        if (!info.isAllowed()) {
            return info.refuse(UmhStage.POLICY, -EPERM);
        }
        if (!HelperGate.enter()) {
            return info.refuse(UmhStage.DISABLED, -EBUSY);
        }
        try {
            return info.isEmptyPath() ? info.release(0) : entered(info, wait);
        } finally {
            HelperGate.leave();
        }
    }

    private static int entered(SubprocessInfo info, UmhWait wait) {
        if (wait.isNoWait()) {
            return Workers.offer(() -> unattended(info)) ? 0 : info.refuse(UmhStage.WAIT, -EAGAIN);
        }
        boolean parks = wait.isKillable() || wait.isFreezable() || Launching.parks(info);
        return parks ? parked(info, wait) : blocking(info, wait);
    }

    private static int blocking(SubprocessInfo info, UmhWait wait) {
        int retval = -ECANCELED;
        try {
            if (wait.isForProcess()) {
                retval = retval(Launching.status(info));
            } else {
                Launching.child(info, Until.EXEC, Patience.endless());
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
            Patience patience = wait.isKillable() ? Patience.untilInterrupted() : Patience.endless();
            completion.follow(Launching.child(info, Until.STARTED, patience), wait.isForProcess());
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
            completion.follow(Launching.child(info, Until.STARTED, Patience.endless()), false);
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
        return start(info, Patience.endless());
    }

    /** The same with a bound; {@code patience} holds how the wait ended. */
    static Helper start(SubprocessInfo info, Patience patience) throws UmhException {
        Objects.requireNonNull(info, "info");
        if (info.scope() == Scope.CGROUP && info.limits().cgroupPath() == null) {
            throw new IllegalArgumentException("the scope is a cgroup, and the call has named none by its path");
        }
        NativeLibrary.require();
        info.files(info.standardFiles());
        info.take();
        Pipes pipes = info.files().hasPipes() ? new Pipes() : Pipes.none();
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

    private static Child enterAndStart(SubprocessInfo info, Pipes pipes, Patience patience) throws UmhException {
        if (!info.hasPath()) {
            throw info.failed(UmhStage.SETUP, -EINVAL, 0);
        }
        if (!info.isAllowed()) {
            throw info.failed(UmhStage.POLICY, -EPERM, 0);
        }
        if (!HelperGate.enter()) {
            throw info.failed(UmhStage.DISABLED, -EBUSY, 0);
        }
        try {
            if (info.isEmptyPath()) {
                throw info.failed(UmhStage.SETUP, -ENOENT, 0);
            }
            boolean parks = Launching.parks(info);
            Child child = Launching.child(
                    info, parks ? Until.STARTED : Until.EXEC, pipes, info.scope() != Scope.PROCESS, patience);
            int told = letBegin(info, child);
            if (told < 0) {
                child.outcome().join(); // it was killed, which is not the reason
                throw info.failed(UmhStage.EXEC, told, 0);
            }
            if (parks) {
                Launching.awaitOutcome(info, child, patience);
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
