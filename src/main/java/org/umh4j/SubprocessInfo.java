// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayOutputStream;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Blob;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Nullable;

/**
 * One call of a helper: what to run, what to do before and after. Set up once, executed once, released once.
 *
 * <pre>{@code
 * SubprocessInfo info = SubprocessInfo.of("/usr/sbin/ip", new String[] {"ip", "link"}, new String[] {"PATH=/usr/sbin"})
 *         .init((i, cred) -> cred.bounding(CapabilitySet.of(CAP_NET_ADMIN)))
 *         .cleanup(i -> log(i.retval()));
 * int retval = UsermodeHelper.exec(info, UmhWait.PROC);
 * }</pre>
 *
 * <p>The path is executed as it stands: there is no shell, and {@code PATH} is not searched. A relative path is looked
 * up in the helper's working directory, which is {@code /} by default. If the helper has another root or joins a mount
 * namespace, a path through a magic link of {@code /proc} is refused. The first argument is by convention the program's
 * name. The environment is exactly what is passed.
 *
 * <p>Strings become bytes in {@code sun.jnu.encoding}, as the JVM decoded those that it got from the system; a
 * character that is not in it is refused rather than replaced, and so is a NUL. For other bytes there is
 * {@link #of(byte[], byte[][], byte[][])}.
 *
 * <p>An object of this class is changed by one thread, until it is executed; later changes are refused.
 *
 * @implSpec {@code call_usermodehelper_setup()} and {@code call_usermodehelper_freeinfo()} of {@code kernel/umh.c},
 *     Linux 6.12
 */
public final class SubprocessInfo {
    private enum State {
        SET_UP,
        EXECUTED,
        RELEASED
    }

    private static final int PERSONALITY_QUERY = 0xffff_ffff;

    private final AtomicReference<State> state = new AtomicReference<>(State.SET_UP);
    private final @Nullable byte[] asked;
    /** What is executed; not what was asked for, where one program mediates all calls. Decided when the call begins. */
    private @Nullable byte[] path;

    private final byte[][] argv;
    private final byte[][] envp;
    /** What is executed instead of the path; null in an ordinary call. */
    private @Nullable Blob blob;

    private @Nullable LongConsumer created;
    private @Nullable Init init;
    private @Nullable Consumer<SubprocessInfo> cleanup;
    private Cred cred = Cred.unchanged();
    private Fs fs = Fs.kernel();
    private @Nullable Files files;
    private Limits limits = Limits.kernel();
    private Sched sched = Sched.kernel();
    private Namespaces namespaces = Namespaces.inherited();
    private Sandbox sandbox = Sandbox.none();
    private Signals signals = Signals.kernel();
    private Session session = Session.own();
    private Scope scope = Scope.PROCESS;
    private OptionalInt personality = OptionalInt.empty();
    private volatile int retval;
    private volatile int pid;
    /** A bit for each stage: the ones that were not applied, that may be left, and that must be applied. */
    private volatile long kept;

    private long left;
    private long insisted;
    private volatile @Nullable UmhException failure;

    private SubprocessInfo(@Nullable byte[] path, byte[][] argv, byte[][] envp, @Nullable Blob blob) {
        this.asked = path;
        this.argv = argv;
        this.envp = envp;
        this.blob = blob;
        mediate();
    }

    /** One program for all calls is one for drivers too. */
    private void mediate() {
        path = HelperPaths.mediated(asked);
        blob = path == asked ? blob : null;
    }

    /**
     * Sets up a call.
     *
     * @param path the program; null makes every execution answer {@code -EINVAL}, {@code ""} makes it a successful no-op
     * @param argv the argument vector; null or empty makes every execution answer {@code -EINVAL}
     * @param envp the environment, {@code NAME=VALUE} each; null is an empty one
     * @throws IllegalArgumentException if a string has a NUL or a character that can't be encoded
     */
    public static SubprocessInfo of(@Nullable String path, @Nullable String[] argv, @Nullable String[] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(program, encoded(argv, "argv"), encoded(envp, "envp"), null);
    }

    /** The same with bytes, for names in another encoding than the system's; without their NUL. */
    public static SubprocessInfo of(@Nullable byte[] path, @Nullable byte[][] argv, @Nullable byte[][] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(program, copied(argv, "argv"), copied(envp, "envp"), null);
    }

    /** A call of a program that has no path, which messages and {@link HelperPaths} know by this name. */
    static SubprocessInfo of(Blob blob, String path, byte[][] argv, byte[][] envp) {
        return new SubprocessInfo(Bytes.of(path, "path"), argv, envp, blob);
    }

    private static byte[][] encoded(@Nullable String[] strings, String what) {
        if (strings == null) {
            return new byte[0][];
        }
        byte[][] bytes = new byte[strings.length][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = Bytes.of(strings[i], what, i);
        }
        return bytes;
    }

    private static byte[][] copied(@Nullable byte[][] strings, String what) {
        if (strings == null) {
            return new byte[0][];
        }
        byte[][] bytes = new byte[strings.length][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = Bytes.of(strings[i], what, i);
        }
        return bytes;
    }

    /** Has a function decide the helper's credentials right before it is created; null for none. */
    public SubprocessInfo init(@Nullable Init function) {
        requireSetUp();
        init = function;
        return this;
    }

    /**
     * Has a function called exactly once when the call is over, however it ended; {@link #retval} tells how.
     *
     * <p>It runs in the caller's thread where the caller waits for the result, else in a thread of the library.
     */
    public SubprocessInfo cleanup(Consumer<SubprocessInfo> function) {
        requireSetUp();
        cleanup = Objects.requireNonNull(function, "cleanup");
        return this;
    }

    /** Who the helper is; the default is the JVM's identity. An init function gets this, the policy applied. */
    public SubprocessInfo cred(Cred credentials) {
        requireSetUp();
        Objects.requireNonNull(credentials, "credentials").requirePossible();
        cred = credentials;
        return this;
    }

    /** Where the helper stands in the file system; the default is the root folder and umask 022. */
    public SubprocessInfo fs(Fs place) {
        requireSetUp();
        fs = Objects.requireNonNull(place, "fs");
        return this;
    }

    /**
     * The helper's descriptors. The default is {@link Files#none()} for the kernel's calls, {@link UsermodeHelper#call}
     * and {@link UsermodeHelper#exec}, and {@link Files#devNull()} for {@link UsermodeHelper#start} and
     * {@link Pipeline}.
     */
    public SubprocessInfo files(Files descriptors) {
        requireSetUp();
        files = Objects.requireNonNull(descriptors, "files");
        return this;
    }

    /** What the helper may use; the default is kthreadd's limits and the JVM's cgroup. */
    public SubprocessInfo limits(Limits bounds) {
        requireSetUp();
        limits = Objects.requireNonNull(bounds, "limits");
        return this;
    }

    /** How the helper is scheduled; the default is the usual policy, nice 0, every cpu. */
    public SubprocessInfo sched(Sched scheduling) {
        requireSetUp();
        Objects.requireNonNull(scheduling, "scheduling").requirePossible();
        sched = scheduling;
        return this;
    }

    /** Which namespaces the helper is in; the default is the JVM's. */
    public SubprocessInfo namespaces(Namespaces views) {
        requireSetUp();
        Objects.requireNonNull(views, "views").requirePossible();
        namespaces = views;
        return this;
    }

    /** What the helper takes away from itself; the default is nothing. */
    public SubprocessInfo sandbox(Sandbox restrictions) {
        requireSetUp();
        sandbox = Objects.requireNonNull(restrictions, "sandbox");
        return this;
    }

    /** What signals do to the helper; the default is all at their default and unblocked. */
    public SubprocessInfo signals(Signals dispositions) {
        requireSetUp();
        signals = Objects.requireNonNull(dispositions, "signals");
        return this;
    }

    /** Whom the helper is grouped with; the default is a session of its own. */
    public SubprocessInfo session(Session grouping) {
        requireSetUp();
        session = Objects.requireNonNull(grouping, "session");
        return this;
    }

    /**
     * What {@link Helper#close} kills, and how long the helper's group stays reachable; the default is the process.
     * {@link Scope#CGROUP} needs a {@link Limits#cgroup(String)}.
     */
    public SubprocessInfo scope(Scope reach) {
        requireSetUp();
        scope = Objects.requireNonNull(reach, "scope");
        return this;
    }

    /** The bits of {@code personality(2)}; the default is 0. */
    public SubprocessInfo personality(int bits) {
        requireSetUp();
        if (bits == PERSONALITY_QUERY) {
            throw new IllegalArgumentException("personality 0xffffffff is none: it only asks for the present one");
        }
        personality = OptionalInt.of(bits);
        return this;
    }

    /**
     * Steps that the host may refuse without failing the call, in addition to those below. The helper then has the
     * JVM's attribute, and {@link #kept()} lists the stage.
     *
     * <p>By default a step that the call asks for is required. A step that it does not ask for is not required if it
     * sets scheduling, limits, {@code oom_score_adj}, core dumps, memory policy, personality or securebits. The session
     * keyring is required unless {@code keyctl(2)} fails with {@code EPERM} or {@code ENOSYS}, which means that the
     * helper can use no key either. Otherwise the helper would have the JVM's keys.
     *
     * @throws IllegalArgumentException if a step must never be left, such as {@link UmhStage#UID}
     */
    public SubprocessInfo mayLeave(UmhStage... stages) {
        long bits = leavable(Arguments.nonNull(stages, "stages"));
        left |= bits;
        insisted &= ~bits;
        return this;
    }

    /**
     * Steps that must be applied even if the call does not ask for them. Without arguments, all steps that may be left.
     *
     * @throws IllegalArgumentException if a step is not one of those that may be left
     */
    public SubprocessInfo mustApply(UmhStage... stages) {
        long bits = leavable(Arguments.nonNull(stages, "stages").length == 0 ? UmhStage.LEAVABLE.toArray(UmhStage[]::new) : stages);
        insisted |= bits;
        left &= ~bits;
        return this;
    }

    private long leavable(UmhStage... stages) {
        requireSetUp();
        long bits = 0;
        for (UmhStage stage : stages) {
            if (!UmhStage.LEAVABLE.contains(stage)) {
                throw new IllegalArgumentException(stage + " is none of the steps that may be left: " + UmhStage.LEAVABLE);
            }
            bits |= stage.bit();
        }
        return bits;
    }

    /** Sets a function that is called with the pid before the program's first instruction. For {@code start} alone. */
    void created(LongConsumer function) {
        created = function;
    }

    /** The program, as the system's encoding reads it; null if none was given. */
    public @Nullable String path() {
        return path == null ? null : Bytes.toString(path);
    }

    /**
     * The result of the call, for cleanup and later; 0 before.
     *
     * <p>As in the kernel it is also 0 where the call was refused at its entry: no path, or helpers disabled. {@link
     * #failure} tells.
     */
    public int retval() {
        return retval;
    }

    /** The helper's process id once it has one, else 0. After its end the number may belong to another process. */
    public int pid() {
        return pid;
    }

    /**
     * The stages that the host refused and that were not required; the helper has the JVM's attributes instead. Known
     * once {@code execve} has succeeded; empty before, and when there was no helper.
     */
    public Set<UmhStage> kept() {
        return UmhStage.of(kept);
    }

    /** Why the helper could not be started: the stage and the errno behind a negative result. */
    public Optional<UmhException> failure() {
        return Optional.ofNullable(failure);
    }

    @Nullable Blob blob() {
        return blob;
    }

    boolean isHeld() {
        return created != null;
    }

    @Nullable LongConsumer created() {
        return created;
    }

    @Nullable Init init() {
        return init;
    }

    Cred cred() {
        return cred;
    }

    Fs fs() {
        return fs;
    }

    Files files() {
        return files == null ? Files.none() : files;
    }

    /**
     * The default of {@code start} and {@code Pipeline}: with 0 to 2 closed, a program's own files would take these
     * numbers.
     */
    Files standardFiles() {
        return files == null ? Files.devNull() : files;
    }

    Limits limits() {
        return limits;
    }

    Sched sched() {
        return sched;
    }

    Namespaces namespaces() {
        return namespaces;
    }

    Sandbox sandbox() {
        return sandbox;
    }

    Signals signals() {
        return signals;
    }

    Session session() {
        return session;
    }

    Scope scope() {
        return scope;
    }

    OptionalInt personality() {
        return personality;
    }

    boolean isAllowed() {
        return HelperPaths.allows(asked);
    }

    boolean hasPath() {
        return path != null;
    }

    boolean isEmptyPath() {
        return path != null && path.length == 0;
    }

    int argc() {
        return argv.length;
    }

    int envc() {
        return envp.length;
    }

    /** The path, the arguments and the environment, each with its NUL, as they cross to C. */
    byte[] strings() {
        ByteArrayOutputStream all = new ByteArrayOutputStream(256);
        append(all, Objects.requireNonNull(path));
        for (byte[] argument : argv) {
            append(all, argument);
        }
        for (byte[] variable : envp) {
            append(all, variable);
        }
        return all.toByteArray();
    }

    private static void append(ByteArrayOutputStream all, byte[] string) {
        all.write(string, 0, string.length);
        all.write(0);
    }

    /** From here on the call is under way and will be released. */
    void take() {
        if (!state.compareAndSet(State.SET_UP, State.EXECUTED)) {
            throw new IllegalStateException("a SubprocessInfo is executed once; set up another one");
        }
        mediate(); // it may have been decided since the call was set up
    }

    long left() {
        return left;
    }

    long insisted() {
        return insisted;
    }

    void started(int helper) {
        pid = helper;
    }

    /** {@code execve} has succeeded. */
    void arrived(long stages) {
        kept = stages;
    }

    UmhException failed(UmhStage stage, int result, int detail) {
        return failed(stage, result, detail, null);
    }

    /** The same with the name of the file that could not be opened. */
    UmhException failed(UmhStage stage, int result, int detail, @Nullable String object) {
        failure = new UmhException(path(), stage, result, detail, object);
        return Events.failed(path(), failure);
    }

    /** The end of a call that was refused at its entry: the kernel has no retval for it yet. */
    int refuse(UmhStage stage, int result) {
        failed(stage, result, 0);
        release(0);
        return result;
    }

    /** The end of the call: cleanup runs. Answers the result, so that callers can return it. */
    int release(int result) {
        if (!state.compareAndSet(State.EXECUTED, State.RELEASED)) {
            throw new IllegalStateException("released twice");
        }
        retval = result;
        if (cleanup != null) {
            cleanup.accept(this);
        }
        return result;
    }

    private void requireSetUp() {
        if (state.get() != State.SET_UP) {
            throw new IllegalStateException("already executed; set up another SubprocessInfo");
        }
    }

    @Override
    public String toString() {
        return "SubprocessInfo[" + path() + ", " + state.get() + "]";
    }
}
