// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * Where in the life of a launch something failed, in the order in which the stages are passed.
 *
 * <p>The list is that of {@code umh_plan.h}, name by name. {@code docs/errors.md} tells for each stage which errors it
 * can have and what to do about them.
 */
public enum UmhStage {
    /** The call itself: the path is null or empty, the argument vector is missing. */
    SETUP,
    /** Helpers are disabled; see {@link HelperGate}. */
    GATE,
    /** The init function refused. */
    INIT,
    /** A file that was to be one of the helper's descriptors could not be opened, or is closed. */
    SOURCE,
    /** The plan socket could not be made, or the plan not sent. */
    SOCKET,
    /** The process could not be created. */
    CLONE,
    /** The JVM's descriptors could not be left behind. */
    SHED,
    /** The launcher could not be executed; {@code E2BIG} means the helper's arguments and environment. */
    LAUNCH,
    /** The launcher did not get the plan, or could not read it. */
    PLAN,
    /** {@code setsid(2)}. */
    SESSION,
    /** A new session keyring, {@code keyctl(2)}. */
    KEYRING,
    /** {@code /proc/self/oom_score_adj}. */
    OOM_SCORE_ADJ,
    /** {@code /proc/self/coredump_filter}. */
    COREDUMP_FILTER,
    /** {@code setpriority(2)}. */
    NICE,
    /** Scheduling policy and priority, {@code sched_setattr(2)}. */
    SCHED,
    /** {@code ioprio_set(2)}. */
    IOPRIO,
    /** {@code sched_setaffinity(2)}. */
    AFFINITY,
    /** {@code set_mempolicy(2)}. */
    MEMPOLICY,
    /** {@code PR_SET_TIMERSLACK}. */
    TIMER_SLACK,
    /** {@code prlimit(2)} of any resource but {@code RLIMIT_NOFILE}; the detail is its number. */
    RLIMIT,
    /** {@code personality(2)}. */
    PERSONALITY,
    /** {@code PR_SET_THP_DISABLE}. */
    THP,
    /** {@code umask(2)}. */
    UMASK,
    /** The working directory, {@code chdir(2)}. */
    CWD,
    /** The helper's descriptors, {@code dup3(2)}; the detail is the number that one was to have. */
    DESCRIPTORS,
    /** {@code RLIMIT_NOFILE}. */
    NOFILE,
    /** {@code PR_SET_SECUREBITS}. */
    SECUREBITS,
    /** The bounding set, {@code PR_CAPBSET_DROP}; the detail is the capability. */
    BOUNDING,
    /** The inheritable set, {@code capset(2)}. */
    INHERITABLE,
    /** Signal dispositions and mask; the detail is the signal. */
    SIGNALS,
    /** The launcher was killed at one of its stages; the detail is the signal. */
    DIED,
    /** {@code execve(2)} of the helper. */
    EXEC,
    /** The end of the helper could not be waited for. */
    WAIT,
    /** The helper could not be signalled; the detail is the signal. */
    KILL;

    private static final UmhStage[] ALL = values();

    static UmhStage of(int number) {
        return ALL[number];
    }

    long bit() {
        return 1L << ordinal();
    }
}
