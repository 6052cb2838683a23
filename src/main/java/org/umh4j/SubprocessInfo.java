// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayOutputStream;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Blob;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.StageNumbers;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Task;

/**
 * The description of one call: the program, its arguments and environment, the {@link Task} that it is born with, and
 * the functions that run before its start and at the end of the call. It is set up once and executed once.
 *
 * <pre>{@code
 * SubprocessInfo info = SubprocessInfo.of("/usr/sbin/ip", new String[] {"ip", "link"}, new String[] {"PATH=/usr/sbin"})
 *         .task(Task.defaults().fs(Fs.defaults().cwd("/tmp")))
 *         .init((call, cred) -> cred.bounding(CapabilitySet.of(CAP_NET_ADMIN)))
 *         .cleanup(call -> log(call.retval()));
 * int retval = UsermodeHelper.exec(info, UmhWait.PROC);
 * }</pre>
 *
 * <p>The path is passed to {@code execve(2)} unchanged: no shell is used, and {@code PATH} is not searched. A
 * relative path starts at the helper's working directory, which is {@code /} by default. If the helper has another
 * root or joins a mount namespace, a path through a magic link of {@code /proc} fails with {@code ELOOP}. The first
 * argument is by convention the program's name. The environment has the passed variables and no others.
 *
 * <p>Strings are encoded in {@code sun.jnu.encoding}, the encoding in which the JVM decodes strings of the system. A
 * NUL or a character that can't be encoded throws an {@link IllegalArgumentException}.
 * {@link #of(byte[], byte[][], byte[][])} accepts any bytes.
 *
 * <p>One thread at a time may set up a call. A change after its execution throws an {@link IllegalStateException}.
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

    private static final byte[][] NO_STRINGS = {};

    private final AtomicReference<State> state = new AtomicReference<>(State.SET_UP);
    private final byte @Nullable [] requestedPath;
    /** The path to execute. It differs from the requested one if {@link HelperPaths} redirects all calls. */
    private byte @Nullable [] path;

    private final byte[][] argv;
    private final byte[][] envp;
    /** The program of a driver, which is executed instead of the path; null in an ordinary call. */
    private @Nullable Blob blob;

    private @Nullable LongConsumer onCreated;
    private @Nullable CredInit init;
    private @Nullable Consumer<SubprocessInfo> cleanup;
    private Task task = Task.defaults();
    private volatile int retval;
    private volatile int pid;
    /** One bit for each stage that was not applied. */
    private volatile long unapplied;

    private volatile @Nullable UmhException failure;

    private SubprocessInfo(byte @Nullable [] path, byte[][] argv, byte[][] envp, @Nullable Blob blob) {
        this.requestedPath = path;
        this.argv = argv;
        this.envp = envp;
        this.blob = blob;
        applyRedirection();
    }

    /** A redirection of all calls applies to drivers too. */
    private void applyRedirection() {
        path = HelperPaths.redirected(requestedPath);
        blob = path == requestedPath ? blob : null;
    }

    /**
     * Creates a call.
     *
     * @param path the program; with null the call fails with {@code EINVAL}. With {@code ""} {@code exec} returns 0 and
     *     creates no process; {@code start} and {@code run} fail at {@link UmhStage#SETUP} with {@code ENOENT}
     * @param argv the argument vector; if it is null or empty the call fails with {@code EINVAL}
     * @param envp the environment, each element as {@code NAME=VALUE}; null is an empty environment
     * @throws IllegalArgumentException if a string has a NUL or a character that can't be encoded
     */
    public static SubprocessInfo of(@Nullable String path, String @Nullable [] argv, String @Nullable [] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(
                program,
                argv == null ? NO_STRINGS : Bytes.ofAll(argv, "argv"),
                envp == null ? NO_STRINGS : Bytes.ofAll(envp, "envp"),
                null);
    }

    /**
     * Creates a call from bytes, for strings in another encoding than the system's. A terminating NUL must not be
     * included.
     *
     * @throws IllegalArgumentException if an element has a NUL
     */
    public static SubprocessInfo of(byte @Nullable [] path, byte @Nullable [][] argv, byte @Nullable [][] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(
                program,
                argv == null ? NO_STRINGS : Bytes.ofAll(argv, "argv"),
                envp == null ? NO_STRINGS : Bytes.ofAll(envp, "envp"),
                null);
    }

    /** Creates a call of a driver, which has no path. Messages and {@link HelperPaths} use its name as the path. */
    static SubprocessInfo of(Blob blob, String driverName, byte[][] argv, byte[][] envp) {
        return new SubprocessInfo(Bytes.of(driverName, "driverName"), argv, envp, blob);
    }

    /**
     * Sets a function that decides the helper's credentials right before the helper is created; null for none. It
     * replaces an earlier one.
     */
    public SubprocessInfo init(@Nullable CredInit function) {
        requireSetUp();
        init = function;
        return this;
    }

    /**
     * Sets a function that runs exactly once at the end of the call, whether it succeeded or failed. It can read
     * {@link #retval} and {@link #failure}. A later call of this method replaces the function.
     *
     * <p>The end of the call is not always the end of the helper. With {@link UmhWait#PROC} cleanup runs after the end
     * of the helper. With {@link UmhWait#EXEC}, {@link UmhWait#NO_WAIT}, {@link UsermodeHelper#start} and
     * {@link UsermodeHelper#run} it runs when {@code execve} has succeeded, while the program runs.
     * {@link Helper#onExit} reports the end of a started helper.
     *
     * <p>It runs in the caller's thread if the caller waits for the result, else in a thread of the library.
     */
    public SubprocessInfo cleanup(Consumer<SubprocessInfo> function) {
        requireSetUp();
        cleanup = Objects.requireNonNull(function, "cleanup");
        return this;
    }

    /** Sets the state that the helper is born with. The default is {@link Task#defaults()}. */
    public SubprocessInfo task(Task state) {
        requireSetUp();
        task = Objects.requireNonNull(state, "state");
        return this;
    }

    /** Returns the state that the helper is born with. */
    public Task task() {
        return task;
    }

    /**
     * Sets a function that is called with the pid before the program's first instruction. Only {@code start} accepts
     * it.
     */
    void onCreated(LongConsumer function) {
        onCreated = function;
    }

    /** Returns the program, decoded in the system's encoding; null if the call has none. */
    public @Nullable String path() {
        return path == null ? null : Bytes.toString(path);
    }

    /**
     * Returns the result of the call; 0 before cleanup.
     *
     * <p>It is not always the number that {@code exec} returns:
     *
     * <ul>
     *   <li>As in the kernel it is 0 if {@code exec} refuses the call at its entry: the path was null,
     *       {@link HelperPaths} does not allow it, helpers were disabled, or there was no thread for
     *       {@link UmhWait#NO_WAIT}. {@link #failure} has the stage and the errno.
     *   <li>After {@code -EINTR} of a killable call it is the later result of the helper.
     *   <li>After {@link UsermodeHelper#start} and {@link UsermodeHelper#run} it is 0 if the program was executed, else
     *       {@link UmhException#retval}, for a refusal too.
     *   <li>If init threw an unchecked exception it is {@code -ECANCELED}, and {@link #failure} is empty.
     * </ul>
     */
    public int retval() {
        return retval;
    }

    /**
     * Returns the helper's process id; 0 before it is created. After its end the number may belong to another process.
     */
    public int pid() {
        return pid;
    }

    /**
     * Returns the stages that the host refused and that were not required; see {@link Task#allowUnapplied}. The set is
     * empty until {@code execve} has succeeded.
     */
    public Set<UmhStage> unapplied() {
        return StageNumbers.of(unapplied);
    }

    /**
     * Returns the stage and the errno of a failed start. Empty before that, if the helper was started, and if an
     * unchecked exception ended the call.
     */
    public Optional<UmhException> failure() {
        return Optional.ofNullable(failure);
    }

    @Nullable
    Blob blob() {
        return blob;
    }

    /** Whether the program must not begin before {@link #onCreated} has returned. */
    boolean isHeld() {
        return onCreated != null;
    }

    @Nullable
    LongConsumer onCreated() {
        return onCreated;
    }

    @Nullable
    CredInit init() {
        return init;
    }

    boolean isAllowed() {
        return HelperPaths.allows(requestedPath);
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

    /**
     * Returns the path, the arguments and the environment, each with its NUL: the form that the native method expects.
     */
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

    /** Marks the call as executed. {@link #release} must follow. */
    void begin() {
        if (!state.compareAndSet(State.SET_UP, State.EXECUTED)) {
            throw new IllegalStateException("this SubprocessInfo was executed already; create another one");
        }
        applyRedirection(); // HelperPaths may have changed since the call was created
    }

    void recordPid(int helperPid) {
        pid = helperPid;
    }

    void recordUnapplied(long stages) {
        unapplied = stages;
    }

    void recordFailure(UmhException reason) {
        failure = reason;
    }

    /** Ends the call: runs cleanup, and returns {@code result}. */
    int release(int result) {
        if (!state.compareAndSet(State.EXECUTED, State.RELEASED)) {
            throw new IllegalStateException("this SubprocessInfo was released twice");
        }
        retval = result;
        if (cleanup != null) {
            cleanup.accept(this);
        }
        return result;
    }

    private void requireSetUp() {
        if (state.get() != State.SET_UP) {
            throw new IllegalStateException("this SubprocessInfo was executed already; create another one");
        }
    }

    @Override
    public String toString() {
        return "SubprocessInfo[" + path() + ", " + state.get() + "]";
    }
}
