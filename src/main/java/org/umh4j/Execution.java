// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Objects;
import java.util.OptionalInt;
import org.umh4j.internal.Child;
import org.umh4j.internal.Host;
import org.umh4j.internal.Launch;
import org.umh4j.internal.Launch.Until;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Plan;
import org.umh4j.internal.Reaper;
import org.umh4j.internal.VirtualThreads;
import org.umh4j.internal.Workers;

/**
 * One call from entry to return: gate, init, launch, wait, cleanup. The counterpart of
 * {@code call_usermodehelper_exec()}.
 *
 * <p>There are two ways to wait. A platform thread that can't be interrupted waits inside the one crossing that also
 * starts the helper. All others, virtual threads among them, park until the reaper has news.
 */
final class Execution {
    private static final int EINVAL = Errno.EINVAL.number();
    private static final int EBUSY = Errno.EBUSY.number();
    private static final int EPERM = Errno.EPERM.number();
    private static final int EINTR = Errno.EINTR.number();
    private static final int ENOENT = Errno.ENOENT.number();
    private static final int ECHILD = Errno.ECHILD.number();
    private static final int ECANCELED = Errno.ECANCELED.number();
    private static final int ENOMEM = Errno.ENOMEM.number();

    static {
        // The classes of the failure path, as long as there are descriptors to load classes with.
        new UmhException("", UmhStage.EXEC, -ENOENT, 0);
    }

    private Execution() {}

    static int exec(SubprocessInfo info, UmhWait wait) {
        Objects.requireNonNull(wait, "wait");
        info.take();
        if (!info.hasPath()) {
            return info.refuse(UmhStage.SETUP, -EINVAL);
        }
        if (!info.isAllowed()) {
            return info.refuse(UmhStage.POLICY, -EPERM);
        }
        if (!HelperGate.enter()) {
            return info.refuse(UmhStage.GATE, -EBUSY);
        }
        try {
            if (info.isEmptyPath()) {
                return info.release(0);
            }
            if (wait.isNoWait()) {
                Workers.execute(() -> unattended(info));
                return 0;
            }
            return wait.isKillable() || wait.isFreezable() || parks(info) ? parked(info, wait) : blocking(info, wait);
        } finally {
            HelperGate.leave();
        }
    }

    static Helper start(SubprocessInfo info) throws UmhException {
        info.take();
        Helper helper = null;
        int retval = -ECANCELED;
        try {
            helper = new Helper(enterAndStart(info));
            retval = 0;
            return helper;
        } catch (UmhException e) {
            retval = e.retval();
            throw e;
        } finally {
            releaseStarted(info, retval, helper);
        }
    }

    private static Child enterAndStart(SubprocessInfo info) throws UmhException {
        if (!info.hasPath()) {
            throw failure(info, UmhStage.SETUP, -EINVAL);
        }
        if (!info.isAllowed()) {
            throw failure(info, UmhStage.POLICY, -EPERM);
        }
        if (!HelperGate.enter()) {
            throw failure(info, UmhStage.GATE, -EBUSY);
        }
        try {
            if (info.isEmptyPath()) {
                throw failure(info, UmhStage.SETUP, -ENOENT);
            }
            if (!parks(info)) {
                return watch(info, launch(info, Until.EXEC));
            }
            Child child = watch(info, launch(info, Until.STARTED));
            require(info, child.outcome().join());
            return child;
        } finally {
            HelperGate.leave();
        }
    }

    /** Whether nobody may block: this thread because it is virtual, or the one thread that ties helpers to the JVM. */
    private static boolean parks(SubprocessInfo info) {
        return VirtualThreads.isCurrent() || info.signals().isTiedToJvm();
    }

    /** When cleanup throws, nobody gets the helper: it is not left running. */
    private static void releaseStarted(SubprocessInfo info, int retval, Helper helper) {
        boolean released = false;
        try {
            info.release(retval);
            released = true;
        } finally {
            if (!released && helper != null) {
                helper.close();
            }
        }
    }

    private static int blocking(SubprocessInfo info, UmhWait wait) {
        int retval = -ECANCELED;
        try {
            if (wait.isForProcess()) {
                retval = retval(launch(info, Until.EXIT).status());
            } else {
                watch(info, launch(info, Until.EXEC));
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
            completion.follow(watch(info, launch(info, Until.STARTED)), wait.isForProcess());
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
            completion.follow(watch(info, launch(info, Until.STARTED)), false);
            retval = 0;
        } catch (UmhException e) {
            retval = e.retval();
        } finally {
            if (retval != 0) {
                info.release(retval);
            }
        }
    }

    /** Init, then the plan, then the process. */
    private static Launch launch(SubprocessInfo info, Until until) throws UmhException {
        Cred cred = credentials(info);
        if (info.argc() == 0) {
            throw failure(info, UmhStage.SETUP, -EINVAL);
        }
        try (OpenedFiles opened = new OpenedFiles()) {
            Plan plan = BornState.plan(info, cred, opened);
            Launch launch = info.signals().isTiedToJvm()
                    ? Reaper.call(() -> Launch.start(info.strings(), info.argc(), info.envc(), plan, until))
                    : Launch.start(info.strings(), info.argc(), info.envc(), plan, until);
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
            throw failure(info, UmhStage.INIT, e.retval());
        }
    }

    private static Child watch(SubprocessInfo info, Launch launch) throws UmhException {
        Child child = Reaper.watch(launch);
        if (child == null) {
            throw failure(info, UmhStage.WAIT, -ENOMEM);
        }
        return child;
    }

    private static Launch require(SubprocessInfo info, Launch launch) throws UmhException {
        if (launch.result() < 0) {
            throw info.failed(UmhStage.of(launch.stage()), launch.result(), launch.detail());
        }
        info.started(launch.pid());
        return launch;
    }

    private static UmhException failure(SubprocessInfo info, UmhStage stage, int retval) {
        return info.failed(stage, retval, 0);
    }

    /** The raw status as the kernel returns it; a lost one as wait(2) says it. */
    static int retval(int status) {
        return status == WaitStatus.LOST.raw() ? -ECHILD : status;
    }
}
