// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/**
 * Where in the life of a launch something failed, in the order in which the stages are passed.
 *
 * <p>The list is that of {@code common/plan.h}, name by name. {@code docs/errors.md} tells for each stage which errors it
 * can have and what to do about them.
 */
public enum UmhStage {
    /** A driver's program could not be brought into memory, or there is one already, or none. */
    BLOB,
    /** The call itself: the path is null or empty, the argument vector is missing. */
    SETUP,
    /** The path is not among those that {@link org.umh4j.HelperPaths} allows. */
    POLICY,
    /** Helpers are disabled; see {@link org.umh4j.HelperGate}. */
    DISABLED,
    /** The init function refused. */
    INIT,
    /** A file that was to be one of the helper's descriptors could not be opened, or is closed. */
    SOURCE,
    /** The plan socket could not be made, or the plan not sent. */
    SOCKET,
    /** The process could not be created. */
    CLONE,
    /** The JVM's descriptors could not be closed in the child, {@code close_range(2)}. */
    CLOSE_FDS,
    /** The launcher could not be executed; {@code E2BIG} means the helper's arguments and environment. */
    LAUNCH,
    /** The launcher did not get the plan, or could not read it. */
    PLAN,
    /** The cgroup, {@code CLONE_INTO_CGROUP} or {@code cgroup.procs}. */
    CGROUP,
    /** {@code /proc/self/oom_score_adj}. */
    OOM_SCORE_ADJ,
    /** {@code /proc/self/coredump_filter}. */
    COREDUMP_FILTER,
    /** The security module's label, {@code /proc/thread-self/attr/exec}. */
    EXEC_LABEL,
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
    /** {@code prlimit(2)} of most resources; the detail is the resource's number. */
    RLIMIT,
    /** {@code personality(2)}. */
    PERSONALITY,
    /** {@code PR_SET_THP_DISABLE}. */
    THP,
    /** Namespaces of others, {@code setns(2)}; the detail is which of them. */
    JOIN,
    /** New namespaces, {@code unshare(2)}. */
    UNSHARE,
    /** The maps of a new user namespace, {@code /proc/self/uid_map} and {@code gid_map}. */
    ID_MAP,
    /** The child in the new pid or time namespace could not be created. */
    PID_NAMESPACE,
    /** {@code setsid(2)} or {@code setpgid(2)}. */
    SESSION,
    /** The controlling terminal, {@code TIOCSCTTY}. */
    TERMINAL,
    /** The session keyring, {@code keyctl(2)}. */
    KEYRING,
    /** {@code umask(2)}. */
    UMASK,
    /** The root folder, {@code chroot(2)}. */
    ROOT,
    /** The helper's descriptors, {@code dup3(2)}; the detail is the number that the descriptor must get. */
    DESCRIPTORS,
    /** The bounding set, {@code PR_CAPBSET_DROP}; the detail is the capability. */
    BOUNDING,
    /** {@code setgroups(2)}. */
    GROUPS,
    /** {@code setresgid(2)}. */
    GID,
    /** {@code setresuid(2)}. */
    UID,
    /** The permitted and inheritable set, {@code capset(2)}. */
    CAPABILITIES,
    /** The ambient set, {@code PR_CAP_AMBIENT_RAISE}; the detail is the capability. */
    AMBIENT,
    /** {@code PR_SET_SECUREBITS}. */
    SECUREBITS,
    /**
     * The working directory, {@code fchdir(2)}. {@code EXDEV}: it is outside of the root. {@code ELOOP}: a link of
     * {@code /proc}.
     */
    CWD,
    /** {@code RLIMIT_NOFILE}. */
    NOFILE,
    /** {@code PR_SET_PDEATHSIG}. */
    PARENT_DEATH,
    /** {@code PR_SET_NO_NEW_PRIVS}. */
    NO_NEW_PRIVS,
    /** A landlock rule or the restriction; the detail is which rule. */
    LANDLOCK,
    /** Signal dispositions and mask; the detail is the signal. */
    SIGNALS,
    /** {@code RLIMIT_NPROC}. */
    NPROC,
    /** {@code seccomp(2)}. */
    SECCOMP,
    /** The last {@code capset(2)}, which leaves what was asked for. */
    EFFECTIVE,
    /** The launcher was killed before its {@code execve(2)}; the detail is the signal. */
    KILLED,
    /** {@code execve(2)} of the helper. */
    EXEC,
    /** The end of the helper could not be waited for. */
    WAIT,
    /** The helper could not be signalled; the detail is the signal. */
    KILL
}
