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
import org.umh4j.internal.Stages;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Task;

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

    private final AtomicReference<State> state = new AtomicReference<>(State.SET_UP);
    private final byte @Nullable [] asked;
    /** What is executed; not what was asked for, where one program mediates all calls. Decided when the call begins. */
    private byte @Nullable [] path;

    private final byte[][] argv;
    private final byte[][] envp;
    /** What is executed instead of the path; null in an ordinary call. */
    private @Nullable Blob blob;

    private @Nullable LongConsumer created;
    private @Nullable CredInit init;
    private @Nullable Consumer<SubprocessInfo> cleanup;
    private Task task = Task.defaults();
    private volatile int retval;
    private volatile int pid;
    /** A bit for each stage that was not applied. */
    private volatile long unapplied;

    private volatile @Nullable UmhException failure;

    private SubprocessInfo(byte @Nullable [] path, byte[][] argv, byte[][] envp, @Nullable Blob blob) {
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
    public static SubprocessInfo of(@Nullable String path, String @Nullable [] argv, String @Nullable [] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(program, encoded(argv, "argv"), encoded(envp, "envp"), null);
    }

    /** The same with bytes, for names in another encoding than the system's; without their NUL. */
    public static SubprocessInfo of(byte @Nullable [] path, byte @Nullable [][] argv, byte @Nullable [][] envp) {
        byte[] program = path == null ? null : Bytes.of(path, "path");
        return new SubprocessInfo(program, copied(argv, "argv"), copied(envp, "envp"), null);
    }

    /** A call of a program that has no path, which messages and {@link HelperPaths} know by this name. */
    static SubprocessInfo of(Blob blob, String path, byte[][] argv, byte[][] envp) {
        return new SubprocessInfo(Bytes.of(path, "path"), argv, envp, blob);
    }

    private static byte[][] encoded(String @Nullable [] strings, String what) {
        if (strings == null) {
            return new byte[0][];
        }
        byte[][] bytes = new byte[strings.length][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = Bytes.of(strings[i], what, i);
        }
        return bytes;
    }

    private static byte[][] copied(byte @Nullable [][] strings, String what) {
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
    public SubprocessInfo init(@Nullable CredInit function) {
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

    /** Sets what the helper is born with. The default is {@link Task#defaults()}. */
    public SubprocessInfo task(Task bornWith) {
        requireSetUp();
        task = Objects.requireNonNull(bornWith, "bornWith");
        return this;
    }

    /** What the helper is born with. */
    public Task task() {
        return task;
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
    public Set<UmhStage> unapplied() {
        return Stages.of(unapplied);
    }

    /** Why the helper could not be started: the stage and the errno behind a negative result. */
    public Optional<UmhException> failure() {
        return Optional.ofNullable(failure);
    }

    @Nullable
    Blob blob() {
        return blob;
    }

    boolean isHeld() {
        return created != null;
    }

    @Nullable
    LongConsumer created() {
        return created;
    }

    @Nullable
    CredInit init() {
        return init;
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

    void started(int helper) {
        pid = helper;
    }

    /** {@code execve} has succeeded. */
    void executed(long unappliedStages) {
        unapplied = unappliedStages;
    }

    void failed(UmhException reason) {
        failure = reason;
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
