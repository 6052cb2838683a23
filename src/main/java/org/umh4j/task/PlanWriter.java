// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Blob;
import org.umh4j.internal.Host;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.ProcFile;
import org.umh4j.internal.StageFailure;
import org.umh4j.internal.StageNumbers;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.UmhStage;

/**
 * Writes a task as a plan for the launcher. An attribute that the task does not set gets the value of a kernel helper.
 *
 * <p>A step is required if every process may do it, or if the task sets its attribute. If the host refuses another
 * step, the helper has the JVM's attribute, and the result lists the stage as unapplied.
 *
 * @hidden Public for package org.umh4j alone: its parameters are of a package that is not exported.
 */
@SuppressWarnings({"exports", "InvalidBlockTag"}) // @hidden is for types, too
public final class PlanWriter {
    private static final int EPERM = Errno.EPERM.number();
    private static final int EACCES = Errno.EACCES.number();

    private final Task task;
    private final Cred cred;
    private final OpenedFiles opened;
    private final Plan plan = new Plan();

    private PlanWriter(Task task, Cred cred, OpenedFiles opened) {
        this.task = task;
        this.cred = cred;
        this.opened = opened;
    }

    /**
     * Writes a plan, or returns the task's cached plan if it would be the same.
     *
     * @param requested the task's credentials after the policy and an init function have changed them
     * @param program the program of a driver, or null for a program with a path
     * @param flags {@link Plan#WAIT_BEFORE_EXEC} and {@link Plan#REPORT_TIME}
     * @param opened receives the descriptors that are sent with the plan; the caller closes it after the start
     * @param pipes receives the JVM's ends of the helper's pipes
     * @throws StageFailure if a file can't be opened, or the host would refuse a step
     * @throws IllegalArgumentException if two parts of the task exclude each other
     */
    public static Plan write(
            Task task, Cred requested, @Nullable Blob program, int flags, OpenedFiles opened, Pipes pipes)
            throws StageFailure {
        Cred cred = requested.withoutForeignGroups(task.namespaces());
        requirePossible(task, cred);
        Task.CachedPlan cached = task.cachedPlan();
        if (cached != null && cached.cred() == requested && cached.flags() == flags && program == null) {
            return cached.plan();
        }
        Plan plan = new PlanWriter(task, cred, opened).write(program, flags, pipes);
        if (program == null && isCacheable(task)) {
            task.cachePlan(new Task.CachedPlan(requested, flags, plan));
        }
        return plan;
    }

    private Plan write(@Nullable Blob program, int flags, Pipes pipes) throws StageFailure {
        cred.writeTo(plan, task.namespaces());
        task.fs().writeTo(plan);
        task.sched().writeTo(plan);
        task.signals().writeTo(plan);
        task.session().writeTo(plan);
        writePersonality();
        task.limits().writeTo(plan, opened);
        task.namespaces().writeTo(plan, opened);
        task.sandbox().writeTo(plan, opened, rootBelow(task));
        descriptorsOf(task).writeTo(plan, opened, pipes);
        if (program != null) {
            writeProgram(program);
        }
        overrideRequired();
        plan.flags |= flags;
        return plan;
    }

    private void writePersonality() {
        plan.attempt(UmhStage.PERSONALITY).attempt(UmhStage.THP);
        if (task.personality().isPresent()) {
            plan.require(UmhStage.PERSONALITY);
            plan.personality = task.personality().getAsInt();
        }
    }

    private void writeProgram(Blob blob) throws StageFailure {
        if (!blob.isSameFile()) {
            throw new StageFailure(UmhStage.BLOB, -Errno.EBADF.number(), 0);
        }
        plan.program(blob);
    }

    private void overrideRequired() {
        Set<UmhStage> optional = task.unappliedAllowed();
        Set<UmhStage> mandatory = task.appliedRequired();
        plan.overrideRequired(bits(optional), bits(mandatory), limits(optional), limits(mandatory));
        if (mandatory.contains(UmhStage.KEYRING)) {
            plan.flags &= ~Plan.KEYRING_OPTIONAL;
        }
    }

    private static long bits(Set<UmhStage> stages) {
        long bits = 0;
        for (UmhStage stage : stages) {
            bits |= StageNumbers.bit(stage);
        }
        return bits;
    }

    /** Returns one bit for each resource limit of these stages. */
    private static int limits(Set<UmhStage> stages) {
        int limits = 0;
        for (Rlimit limit : Rlimit.values()) {
            limits |= stages.contains(Limits.stageOf(limit)) ? 1 << limit.ordinal() : 0;
        }
        return limits;
    }

    /** Returns whether the plan depends on no file and no state of the host. */
    private static boolean isCacheable(Task task) {
        return task.namespaces() == NamespaceSetup.defaults()
                && task.sandbox() == Sandbox.defaults()
                && descriptorsOf(task) == Descriptors.none()
                && !task.limits().hasCgroup()
                && !task.session().hasTerminal();
    }

    /** The root below which the JVM opens the paths of rules; null where they are opened as they are. */
    private static byte @Nullable [] rootBelow(Task task) {
        return task.namespaces().isJoined(Namespace.MOUNT) ? null : task.fs().root();
    }

    private static Descriptors descriptorsOf(Task task) {
        return task.descriptors().orElse(Descriptors.none());
    }

    /** Refuses impossible combinations before a file is opened, with the errno that the kernel would return. */
    private static void requirePossible(Task task, Cred cred) throws StageFailure {
        cred.requirePossible();
        task.namespaces().requirePossible();
        task.sched().requirePossible();
        task.namespaces().requireMapped(cred.uids().isPresent(), cred.gids().isPresent());
        if (task.namespaces().deniesSetgroups() && cred.changesGroups()) {
            throw new IllegalArgumentException(
                    "groups can't be set where the map of gids was written without privilege");
        }
        if (!maySandbox(task, cred)) {
            boolean seccomp = task.sandbox().isSeccomp();
            throw new StageFailure(seccomp ? UmhStage.SECCOMP : UmhStage.LANDLOCK, seccomp ? -EACCES : -EPERM, 0);
        }
        boolean optional = task.unappliedAllowed().contains(UmhStage.SCHED);
        if (task.sched().isRealTime() && !optional && !mayBeRealTime(task.sched())) {
            throw new StageFailure(UmhStage.SCHED, -EPERM, 0);
        }
    }

    private static boolean isEffective(Capability capability) {
        return new CapabilitySet(Host.effective()).contains(capability);
    }

    private static boolean maySandbox(Task task, Cred cred) {
        boolean isSandboxed = task.sandbox().isSeccomp() || task.sandbox().isLandlock();
        return !isSandboxed
                || cred.isNoNewPrivs()
                || Host.noNewPrivs()
                || isEffective(Capability.CAP_SYS_ADMIN)
                || task.namespaces().isNewUser();
    }

    private static boolean mayBeRealTime(Sched sched) {
        return isEffective(Capability.CAP_SYS_NICE) || sched.neededRtprio() <= rtprioLimit();
    }

    private static long rtprioLimit() {
        try {
            return Rlimit.parseProcLimits(ProcFile.read("/proc/self/limits"))[2 * Rlimit.RTPRIO.ordinal()]
                    & Long.MAX_VALUE;
        } catch (IOException | RuntimeException e) {
            return Long.MAX_VALUE; // without /proc the kernel decides
        }
    }
}
