// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.util.OptionalInt;
import org.umh4j.internal.Host;
import org.umh4j.internal.Nullable;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.ProcFile;

/**
 * All that a helper is born with, as a plan: what its call asks for, and for the rest what a helper of the kernel has.
 *
 * <p>A step is required if a process may always do it, or if the call asks for it. The host may refuse any other step.
 * The helper then has the JVM's attribute, and {@link Helper#kept} lists the stage. {@link SubprocessInfo#mayLeave}
 * changes which steps are required.
 */
final class BornState {
    private static final int EPERM = Errno.EPERM.number();
    private static final int EACCES = Errno.EACCES.number();

    private static volatile @Nullable Remembered remembered;

    private BornState() {}

    /** Opens the files that are sent with the plan; the caller closes them when they have been sent. */
    static Plan plan(SubprocessInfo info, Cred chosen, OpenedFiles opened, Pipes pipes) throws UmhException {
        Cred cred = chosen.completed(info.namespaces());
        requirePossible(info, cred);
        boolean timed = Events.areStartsRecorded();
        Remembered last = remembered;
        if (last != null && last.timed == timed && last.isFor(info, chosen)) {
            return last.plan;
        }
        Plan plan = new Plan();
        cred.into(plan, info.namespaces());
        info.fs().into(plan);
        info.sched().into(plan);
        info.signals().into(plan);
        info.session().into(plan);
        plan.take(UmhStage.PERSONALITY.bit()).take(UmhStage.THP.bit());
        if (info.personality().isPresent()) {
            plan.require(UmhStage.PERSONALITY.bit());
            plan.personality = info.personality().getAsInt();
        }
        info.limits().into(plan, opened, info);
        info.namespaces().into(plan, opened, info);
        info.sandbox().into(plan, opened, info);
        info.files().into(plan, opened, pipes, info);
        if (info.blob() != null) {
            if (!info.blob().isOwn()) {
                throw info.failed(UmhStage.BLOB, -Errno.EBADF.number(), 0);
            }
            plan.program(info.blob());
        }
        leave(plan, info.left(), info.insisted());
        plan.flags |= info.isHeld() ? Plan.HOLD : 0;
        plan.flags |= timed ? Plan.TIMES : 0;
        if (Remembered.mayBe(info)) {
            remembered = new Remembered(chosen, info, timed, plan);
        }
        return plan;
    }

    private static void leave(Plan plan, long left, long insisted) {
        plan.leave(left, insisted, limits(left), limits(insisted));
        if ((insisted & UmhStage.KEYRING.bit()) != 0) {
            plan.flags &= ~Plan.KEYLESS;
        }
    }

    /** The limits that belong to these stages, a bit each. */
    private static int limits(long stages) {
        int limits = 0;
        for (Resource resource : Resource.values()) {
            UmhStage stage = resource == Resource.NOFILE
                    ? UmhStage.NOFILE
                    : resource == Resource.NPROC ? UmhStage.NPROC : UmhStage.RLIMIT;
            limits |= (stages & stage.bit()) != 0 ? 1 << resource.ordinal() : 0;
        }
        return limits;
    }

    /**
     * The plan of the last call that needs nothing from this moment: most programs start the same kind of helper again
     * and again. Its values are immutable, so the same objects make the same plan.
     */
    private static final class Remembered {
        private final Cred cred;
        private final Fs fs;
        private final Sched sched;
        private final Signals signals;
        private final Session session;
        private final Limits limits;
        private final OptionalInt personality;
        private final long left;
        private final long insisted;
        private final boolean timed;
        private final Plan plan;

        Remembered(Cred cred, SubprocessInfo info, boolean timed, Plan plan) {
            this.cred = cred;
            this.fs = info.fs();
            this.sched = info.sched();
            this.signals = info.signals();
            this.session = info.session();
            this.limits = info.limits();
            this.personality = info.personality();
            this.left = info.left();
            this.insisted = info.insisted();
            this.timed = timed;
            this.plan = plan;
        }

        /** No descriptor, and nothing that is looked up. */
        static boolean mayBe(SubprocessInfo info) {
            return info.namespaces() == Namespaces.inherited()
                    && info.sandbox() == Sandbox.none()
                    && info.files() == Files.none()
                    && !info.limits().hasCgroup()
                    && !info.session().hasTerminal()
                    && info.blob() == null
                    && !info.isHeld();
        }

        boolean isFor(SubprocessInfo info, Cred wanted) {
            return cred == wanted
                    && fs == info.fs()
                    && sched == info.sched()
                    && signals == info.signals()
                    && session == info.session()
                    && limits == info.limits()
                    && personality.equals(info.personality())
                    && left == info.left()
                    && insisted == info.insisted()
                    && mayBe(info);
        }
    }

    /** What can be known before anything is made; the kernel's own answer to the same is the errno. */
    private static void requirePossible(SubprocessInfo info, Cred cred) throws UmhException {
        cred.requirePossible();
        info.namespaces().requirePossible();
        info.sched().requirePossible();
        info.namespaces().requireMapped(cred);
        if (info.namespaces().deniesSetgroups() && cred.changesGroups()) {
            throw new IllegalArgumentException("groups can't be set where the map of gids was written without privilege");
        }
        if (!mayRestrict(info, cred)) {
            UmhStage stage = info.sandbox().isSeccomp() ? UmhStage.SECCOMP : UmhStage.LANDLOCK;
            throw info.failed(stage, stage == UmhStage.SECCOMP ? -EACCES : -EPERM, 0);
        }
        boolean mayBeLeft = (info.left() & UmhStage.SCHED.bit()) != 0;
        if (info.sched().isRealTime() && !mayBeLeft && !mayBeRealTime(info)) {
            throw info.failed(UmhStage.SCHED, -EPERM, 0);
        }
    }

    private static boolean holds(Capability capability) {
        return new CapabilitySet(Host.effective()).contains(capability);
    }

    private static boolean mayRestrict(SubprocessInfo info, Cred cred) {
        boolean restricts = info.sandbox().isSeccomp() || info.sandbox().isLandlock();
        return !restricts
                || cred.isNoNewPrivs()
                || Host.noNewPrivs()
                || holds(Capability.CAP_SYS_ADMIN)
                || info.namespaces().isNewUser();
    }

    private static boolean mayBeRealTime(SubprocessInfo info) {
        return holds(Capability.CAP_SYS_NICE) || info.sched().neededRtprio() <= rtprioLimit();
    }

    private static long rtprioLimit() {
        try {
            return ProcFile.read("/proc/self/limits")
                    .lines()
                    .filter(line -> line.startsWith("Max realtime priority"))
                    .map(line -> line.substring("Max realtime priority".length()).trim().split("\\s+")[0])
                    .mapToLong(soft -> soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft))
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        } catch (IOException e) {
            return Long.MAX_VALUE; // no /proc to ask: the kernel will say
        }
    }
}
