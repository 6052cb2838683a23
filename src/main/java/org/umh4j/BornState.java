// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.umh4j.UmhStage.*;

import org.umh4j.internal.Host;
import org.umh4j.internal.KernelDefaults;
import org.umh4j.internal.Plan;

/**
 * What a helper of the kernel is born with, as a plan.
 *
 * <p>What a process may always do is required; the rest the host may refuse, and then it stays as the JVM has it and
 * {@link Helper#kept} says so.
 */
final class BornState {
    private BornState() {}

    static Plan plan(Cred cred) {
        Plan plan = new Plan();
        scheduling(plan);
        limits(plan);
        plan.umask = KernelDefaults.UMASK;
        plan.require(UMASK.ordinal()).require(CWD.ordinal());
        plan.require(SESSION.ordinal()).require(DESCRIPTORS.ordinal()).require(SIGNALS.ordinal());
        credentials(plan, cred);
        return plan;
    }

    private static void scheduling(Plan plan) {
        plan.timerSlackNanos = KernelDefaults.TIMER_SLACK_NANOS;
        plan.step(NICE.ordinal()).step(SCHED.ordinal()).step(IOPRIO.ordinal()).step(AFFINITY.ordinal());
        plan.step(MEMPOLICY.ordinal()).step(TIMER_SLACK.ordinal()).step(PERSONALITY.ordinal()).step(THP.ordinal());
    }

    private static void limits(Plan plan) {
        KernelDefaults.rlimits(plan.rlimits);
        plan.coredumpFilter = KernelDefaults.COREDUMP_FILTER;
        plan.step(OOM_SCORE_ADJ.ordinal()).step(COREDUMP_FILTER.ordinal());
        plan.step(RLIMIT.ordinal()).step(NOFILE.ordinal());
    }

    /** With the policy at its start there is nothing to drop, and no step for it. */
    private static void credentials(Plan plan, Cred cred) {
        plan.step(KEYRING.ordinal()).step(SECUREBITS.ordinal());
        plan.bounding = cred.bounding().bits();
        plan.inheritable = cred.inheritable().bits();
        plan.require(INHERITABLE.ordinal());
        if ((plan.bounding & Host.capabilities()) != Host.capabilities()) {
            plan.require(BOUNDING.ordinal());
        }
    }
}
