// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/**
 * The stages of a start, roughly in the order of execution; {@link #WAIT} and {@link #KILL} follow the start. A failure
 * is reported with its stage and errno.
 *
 * <p>{@code docs/errors.md} lists the possible errors of each stage and their remedies. Some stages have a detail, a
 * number that {@code UmhException.detail()} returns; the constants name it. The <em>launcher</em> is the small program
 * that sets the helper's attributes and then executes the helper's program in the same process. It receives the
 * attributes as one message, the <em>plan</em>.
 */
public enum UmhStage {
    /** A driver's program could not be stored in a memfd, is already loaded, or is not loaded. */
    BLOB,
    /** The arguments of the call: a null or empty path, or no argument vector. */
    SETUP,
    /** The policy: {@link org.umh4j.HelperPaths} does not allow the path. */
    POLICY,
    /** Helpers are disabled by {@link org.umh4j.HelperGate}. */
    DISABLED,
    /** The init function has thrown an {@code InitException}. */
    INIT,
    /**
     * The source of one of the helper's descriptors: a file can't be opened, or a descriptor is closed. The detail is
     * the helper's descriptor number.
     */
    SOURCE,
    /** The plan socket could not be created, or the plan not sent. */
    SOCKET,
    /** The process could not be created, {@code clone3(2)} or {@code clone(2)}. */
    CLONE,
    /** The JVM's descriptors could not be closed in the child, {@code close_range(2)}. */
    CLOSE_FDS,
    /**
     * The launcher could not be executed, {@code execveat(2)}. {@code E2BIG}: the helper's arguments and environment
     * are too long.
     */
    LAUNCH,
    /** The launcher did not receive a valid plan. */
    PLAN,
    /** The cgroup, {@code CLONE_INTO_CGROUP} or {@code cgroup.procs}. */
    CGROUP,
    /** The write to {@code /proc/self/oom_score_adj}. */
    OOM_SCORE_ADJ,
    /** The write to {@code /proc/self/coredump_filter}. */
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
    /** {@code set_mempolicy(2)}: the NUMA memory policy is reset to the default. */
    MEMPOLICY,
    /** {@code PR_SET_TIMERSLACK}. */
    TIMER_SLACK,
    /**
     * Resource limits, {@code prlimit(2)}, without {@link #NOFILE} and {@link #NPROC}. The detail is the resource's
     * number.
     */
    RLIMIT,
    /** {@code personality(2)}. */
    PERSONALITY,
    /** {@code PR_SET_THP_DISABLE}: transparent huge pages are enabled again if the JVM has disabled them. */
    THP,
    /**
     * Joining namespaces, {@code setns(2)}. The detail is the index of the join, from 0, in the order of the join
     * methods. If the JVM could not open the namespace's file, the detail is 0 and the message has the path.
     */
    JOIN,
    /** Creating namespaces, {@code unshare(2)}. */
    UNSHARE,
    /** The maps of a new user namespace, {@code /proc/self/uid_map} and {@code gid_map}. */
    ID_MAP,
    /** The child in another pid or time namespace could not be created. */
    PID_NAMESPACE,
    /** {@code setsid(2)} or {@code setpgid(2)}. */
    SESSION,
    /** The controlling terminal, {@code TIOCSCTTY}. */
    TERMINAL,
    /** The session keyring, {@code keyctl(2)}. */
    KEYRING,
    /** {@code umask(2)}. */
    UMASK,
    /** The root directory, {@code chroot(2)}. */
    ROOT,
    /** The helper's descriptors, {@code dup3(2)}. The detail is the helper's descriptor number. */
    DESCRIPTORS,
    /** The bounding set, {@code PR_CAPBSET_DROP}. The detail is the capability. */
    BOUNDING,
    /** {@code setgroups(2)}. */
    GROUPS,
    /** {@code setresgid(2)}. */
    GID,
    /** {@code setresuid(2)}. */
    UID,
    /** The permitted and inheritable sets, {@code capset(2)}. */
    CAPABILITIES,
    /** The ambient set, {@code PR_CAP_AMBIENT_RAISE}. The detail is the capability. */
    AMBIENT,
    /** {@code PR_SET_SECUREBITS}. */
    SECUREBITS,
    /**
     * The working directory, {@code fchdir(2)}. {@code EXDEV}: it is outside the root. {@code ELOOP}: the path has a
     * magic link of {@code /proc}, or too many links.
     */
    CWD,
    /** The limit {@code RLIMIT_NOFILE}, {@code prlimit(2)}. The detail is the resource's number. */
    NOFILE,
    /** The parent death signal, {@code PR_SET_PDEATHSIG}. */
    PARENT_DEATH,
    /** {@code PR_SET_NO_NEW_PRIVS}. */
    NO_NEW_PRIVS,
    /**
     * {@code landlock_add_rule(2)} or {@code landlock_restrict_self(2)}. The detail is the index of the rule, from 0.
     * If the JVM could not open the path of a rule, the detail is 0 and the message has the path.
     */
    LANDLOCK,
    /** Signal dispositions and mask. The detail is the signal. */
    SIGNALS,
    /** The limit {@code RLIMIT_NPROC}, {@code prlimit(2)}. The detail is the resource's number. */
    NPROC,
    /** The seccomp filter, {@code seccomp(2)}. */
    SECCOMP,
    /** The final {@code capset(2)}, which sets the requested permitted and effective sets. */
    EFFECTIVE,
    /** A signal has killed the launcher before its {@code execve(2)}. The detail is the signal. */
    KILLED,
    /** {@code execve(2)} of the helper. */
    EXEC,
    /** The wait for the helper's end, {@code waitid(2)}. */
    WAIT,
    /**
     * A signal could not be sent to a started helper, {@code pidfd_send_signal(2)}. The detail is the signal.
     */
    KILL
}
