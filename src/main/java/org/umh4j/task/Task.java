// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

/**
 * The complete initial state of a helper: identity, directories, descriptors, limits, scheduling, namespaces, sandbox,
 * signals and session. Immutable; each method returns a changed copy.
 *
 * <p>{@link #defaults()} is the state of a helper that the kernel itself starts, with the JVM's identity, cgroup and
 * namespaces; {@code docs/differences.md} lists the other differences. One task serves any number of calls, drivers and
 * threads. Reuse a task if possible: a task without descriptors, cgroup, namespaces, sandbox and terminal is encoded
 * once, and later calls of {@code exec} with it are faster.
 *
 * <pre>{@code
 * Task task = Task.defaults()
 *         .cred(Cred.defaults().user("nobody").noNewPrivs())
 *         .limits(Limits.defaults().rlimit(Rlimit.NOFILE, 64));
 * }</pre>
 *
 * <p>An attribute that is set by a method of this class or of its parts is required: if the host refuses it, the start
 * fails with its stage and errno. {@link #allowUnapplied} and {@link #requireApplied} change that.
 *
 * @implSpec {@code call_usermodehelper_exec_async()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class Task {
    /** The stages that may stay unapplied: the program can do its work with the JVM's attribute. */
    private static final Set<UmhStage> OPTIONAL = Collections.unmodifiableSet(EnumSet.of(
            UmhStage.OOM_SCORE_ADJ,
            UmhStage.COREDUMP_FILTER,
            UmhStage.EXEC_LABEL,
            UmhStage.NICE,
            UmhStage.SCHED,
            UmhStage.IOPRIO,
            UmhStage.AFFINITY,
            UmhStage.MEMPOLICY,
            UmhStage.TIMER_SLACK,
            UmhStage.RLIMIT,
            UmhStage.PERSONALITY,
            UmhStage.THP,
            UmhStage.KEYRING,
            UmhStage.SECUREBITS,
            UmhStage.NOFILE,
            UmhStage.NPROC));

    /** {@code personality(0xffffffff)} changes nothing and returns the current personality. */
    private static final int PERSONALITY_QUERY = 0xffff_ffff;

    private static final Task DEFAULTS = new Task();

    private Cred cred = Cred.defaults();
    private Fs fs = Fs.defaults();
    private @Nullable Descriptors descriptors;
    private Limits limits = Limits.defaults();
    private Sched sched = Sched.defaults();
    private NamespaceSetup namespaces = NamespaceSetup.defaults();
    private Sandbox sandbox = Sandbox.defaults();
    private SignalState signals = SignalState.defaults();
    private Session session = Session.defaults();
    private KillScope scope = KillScope.PROCESS;
    private OptionalInt personality = OptionalInt.empty();
    private Set<UmhStage> unappliedAllowed = Set.of();
    private Set<UmhStage> appliedRequired = Set.of();

    /** The plan of the last start, if the plan depends on nothing but this task and the cache's key. */
    private volatile @Nullable CachedPlan cachedPlan;

    /** A plan and its key: the inputs that are not part of the task. */
    record CachedPlan(Cred cred, int flags, Plan plan) {}

    private Task() {}

    private Task(Task other) {
        cred = other.cred;
        fs = other.fs;
        descriptors = other.descriptors;
        limits = other.limits;
        sched = other.sched;
        namespaces = other.namespaces;
        sandbox = other.sandbox;
        signals = other.signals;
        session = other.session;
        scope = other.scope;
        personality = other.personality;
        unappliedAllowed = other.unappliedAllowed;
        appliedRequired = other.appliedRequired;
    }

    /** Returns the initial state of a helper that the kernel starts, with the JVM's identity, cgroup and namespaces. */
    public static Task defaults() {
        return DEFAULTS;
    }

    /** Sets the helper's identity. The default is the JVM's. */
    public Task cred(Cred credentials) {
        Objects.requireNonNull(credentials, "credentials").requirePossible();
        Task copy = new Task(this);
        copy.cred = credentials;
        return copy;
    }

    /** Sets root, working directory and umask. The default is {@code /}, {@code /} and 022. */
    public Task fs(Fs directories) {
        Task copy = new Task(this);
        copy.fs = Objects.requireNonNull(directories, "directories");
        return copy;
    }

    /**
     * Sets the helper's descriptors. The class {@link Descriptors} has a table of the descriptors without this call.
     */
    public Task descriptors(Descriptors map) {
        Task copy = new Task(this);
        copy.descriptors = Objects.requireNonNull(map, "map");
        return copy;
    }

    /** Sets resource limits and the cgroup. The default is kthreadd's limits and the JVM's cgroup. */
    public Task limits(Limits bounds) {
        Task copy = new Task(this);
        copy.limits = Objects.requireNonNull(bounds, "bounds");
        return copy;
    }

    /** Sets scheduling and I/O priority. The default is SCHED_OTHER, nice 0, every CPU. */
    public Task sched(Sched scheduling) {
        Objects.requireNonNull(scheduling, "scheduling").requirePossible();
        Task copy = new Task(this);
        copy.sched = scheduling;
        return copy;
    }

    /** Sets the helper's namespaces. The default is the JVM's. */
    public Task namespaces(NamespaceSetup setup) {
        Objects.requireNonNull(setup, "setup").requirePossible();
        Task copy = new Task(this);
        copy.namespaces = setup;
        return copy;
    }

    /** Sets a seccomp filter and landlock rules. The default is neither. */
    public Task sandbox(Sandbox restrictions) {
        Task copy = new Task(this);
        copy.sandbox = Objects.requireNonNull(restrictions, "restrictions");
        return copy;
    }

    /** Sets signal dispositions and mask. The default is the default action for every signal, and no signal blocked. */
    public Task signals(SignalState state) {
        Task copy = new Task(this);
        copy.signals = Objects.requireNonNull(state, "state");
        return copy;
    }

    /** Sets session, process group and terminal. The default is a new session. */
    public Task session(Session membership) {
        Task copy = new Task(this);
        copy.session = Objects.requireNonNull(membership, "membership");
        return copy;
    }

    /**
     * Sets which processes are killed by {@code close()} of a helper and by the timeout of {@code run}. The default is
     * the process alone.
     *
     * <p>With another scope, the library keeps a descriptor of the helper after its end, so that the rest of the group
     * or session can still be signaled until {@code close()}; see
     * {@link org.umh4j.Helper#kill(KillScope, org.umh4j.linux.Signal)}.
     *
     * <p>{@link KillScope#CGROUP} needs a {@link Limits#cgroup(String)}. Without it, {@code start}, {@code run},
     * pipelines and {@code fork} of a driver throw an {@link IllegalArgumentException}. The call can then still be
     * executed. {@link KillScope#GROUP} needs a helper that leads a process group, and {@link KillScope#SESSION} one
     * that leads a session; see {@link Session}. Otherwise there is no error, and only the helper itself is killed.
     * {@code exec} ignores the scope.
     */
    public Task scope(KillScope processes) {
        Task copy = new Task(this);
        copy.scope = Objects.requireNonNull(processes, "processes");
        return copy;
    }

    /**
     * Sets the bits of {@code personality(2)}. The default is 0.
     *
     * @throws IllegalArgumentException for {@code 0xffffffff}, which sets no personality
     */
    public Task personality(int bits) {
        if (bits == PERSONALITY_QUERY) {
            throw new IllegalArgumentException("personality 0xffffffff only queries the current one");
        }
        Task copy = new Task(this);
        copy.personality = OptionalInt.of(bits);
        return copy;
    }

    /**
     * Lets a start succeed even if the host refuses one or more of these steps. The steps are added to those of earlier
     * calls of this method. A later {@link #requireApplied} of the same step revokes this, and vice versa. The result
     * lists the stage as unapplied.
     *
     * <p>The helper then has the JVM's attribute. An attribute that each thread has separately, such as nice value,
     * policy, affinity or timer slack, is that of the thread that creates the helper: the caller, or a thread of the
     * library for {@code NO_WAIT} and for a helper with a parent death signal.
     *
     * <p>By default a step that the task sets is required. A step that sets only a default value is not required if it
     * is one of {@link #optionalStages}. The session keyring is an exception: it is required, since the helper would
     * have the JVM's keys without it. Only an {@code EPERM} or {@code ENOSYS} of {@code keyctl(2)} is allowed, because
     * the helper can't use keys in that case either.
     *
     * @throws IllegalArgumentException if a step must not stay unapplied, such as {@link UmhStage#UID}
     */
    public Task allowUnapplied(UmhStage... stages) {
        Set<UmhStage> chosen = optional(Arguments.nonNull(stages, "stages"));
        Task copy = new Task(this);
        copy.unappliedAllowed = union(unappliedAllowed, chosen);
        copy.appliedRequired = difference(appliedRequired, chosen);
        return copy;
    }

    /**
     * Requires these steps even if the task does not set them, and adds them to those of earlier calls of this method.
     * Without arguments: all {@link #optionalStages}.
     *
     * @throws IllegalArgumentException if a step is not one of {@link #optionalStages}
     */
    public Task requireApplied(UmhStage... stages) {
        Set<UmhStage> chosen = Arguments.nonNull(stages, "stages").length == 0 ? OPTIONAL : optional(stages);
        Task copy = new Task(this);
        copy.appliedRequired = union(appliedRequired, chosen);
        copy.unappliedAllowed = difference(unappliedAllowed, chosen);
        return copy;
    }

    private static Set<UmhStage> optional(UmhStage... stages) {
        for (UmhStage stage : stages) {
            if (!OPTIONAL.contains(stage)) {
                throw new IllegalArgumentException(
                        stage + " must be applied; only these may stay unapplied: " + OPTIONAL);
            }
        }
        return Set.of(
                stages.length == 0
                        ? new UmhStage[0]
                        : EnumSet.of(stages[0], stages).toArray(UmhStage[]::new));
    }

    private static Set<UmhStage> union(Set<UmhStage> one, Set<UmhStage> other) {
        EnumSet<UmhStage> all = EnumSet.noneOf(UmhStage.class);
        all.addAll(one);
        all.addAll(other);
        return Collections.unmodifiableSet(all);
    }

    private static Set<UmhStage> difference(Set<UmhStage> one, Set<UmhStage> other) {
        EnumSet<UmhStage> rest = EnumSet.noneOf(UmhStage.class);
        rest.addAll(one);
        rest.removeAll(other);
        return Collections.unmodifiableSet(rest);
    }

    /** Returns the helper's identity. */
    public Cred cred() {
        return cred;
    }

    /** Returns root, working directory and umask. */
    public Fs fs() {
        return fs;
    }

    /** Returns the helper's descriptors, if they are set. */
    public Optional<Descriptors> descriptors() {
        return Optional.ofNullable(descriptors);
    }

    /** Returns resource limits and cgroup. */
    public Limits limits() {
        return limits;
    }

    /** Returns scheduling and I/O priority. */
    public Sched sched() {
        return sched;
    }

    /** Returns the helper's namespaces. */
    public NamespaceSetup namespaces() {
        return namespaces;
    }

    /** Returns seccomp filter and landlock rules. */
    public Sandbox sandbox() {
        return sandbox;
    }

    /** Returns signal dispositions and mask. */
    public SignalState signals() {
        return signals;
    }

    /** Returns session, process group and terminal. */
    public Session session() {
        return session;
    }

    /** Returns the processes that {@code close()} of a helper kills. */
    public KillScope scope() {
        return scope;
    }

    /** Returns the bits of {@code personality(2)}, if they are set. */
    public OptionalInt personality() {
        return personality;
    }

    /** Returns the steps of {@link #allowUnapplied}. */
    public Set<UmhStage> unappliedAllowed() {
        return unappliedAllowed;
    }

    /** Returns the steps of {@link #requireApplied}. */
    public Set<UmhStage> appliedRequired() {
        return appliedRequired;
    }

    /**
     * Returns the stages that {@link #allowUnapplied} accepts. MEMPOLICY and THP are among them although no method sets
     * these attributes: every start resets them to the kernel's defaults. The others are scheduling, resource limits,
     * {@code oom_score_adj}, core dumps, personality, keyring, securebits and security label.
     */
    public static Set<UmhStage> optionalStages() {
        return OPTIONAL;
    }

    @Nullable
    CachedPlan cachedPlan() {
        return cachedPlan;
    }

    void cachePlan(CachedPlan plan) {
        cachedPlan = plan;
    }
}
