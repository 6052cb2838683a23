// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.internal.Child;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.PipeEnd;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.StageNumbers;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.ResourceUsage;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.KillScope;
import org.umh4j.task.NamespaceSetup;

/**
 * A started program: signals, pipes, exit status, and its end.
 *
 * <pre>{@code
 * try (Helper helper = UsermodeHelper.start(info)) {
 *     helper.onExit().thenAccept(status -> log(status));
 *     helper.waitFor(Duration.ofSeconds(10));
 * }   // closing kills it if it is alive
 * }</pre>
 *
 * <p>A helper is one process. Signals are sent by a pidfd, so they never reach a later process with the same pid. The
 * library reaps the process as soon as it ends. A live helper costs one descriptor and no thread.
 *
 * <p>{@link #close} kills the process; call {@link #detach} before for a process that must continue. If a helper
 * becomes unreachable without {@code close}, its process continues to run and is reaped at its end. Its pipes are
 * closed some time after they have become unreachable too. Otherwise pipes stay open until they or the helper are
 * closed. A pipe from the helper is at its end when no process holds the other end.
 *
 * <p>{@link #toProcess} returns a view for libraries that take a {@link Process}.
 *
 * <p>All methods may be called after {@link #close} too.
 */
public final class Helper implements AutoCloseable {
    private final Child child;
    private final Pipes pipes;
    private final KillScope closeScope;
    private final @Nullable String cgroupPath;
    private final Instant startTime = Instant.now();
    private volatile boolean detached;
    /** Set by {@link #close} if the process had not ended within {@link Timeouts#CLOSE} after SIGKILL. */
    private volatile boolean survivedClose;

    private volatile @Nullable ProcessHandle jdkHandle;
    private @Nullable HelperProcess processView;

    Helper(SubprocessInfo info, Child child, Pipes pipes) {
        this.child = child;
        this.pipes = pipes;
        this.closeScope = info.task().scope();
        this.cgroupPath = info.task().limits().cgroupPath().orElse(null);
    }

    /** Returns the process id in the JVM's pid namespace. */
    public long pid() {
        return child.pid();
    }

    /** Returns the time at which {@code execve} succeeded. */
    public Instant startTime() {
        return startTime;
    }

    /** Returns whether the process has not been reaped yet. */
    public boolean isAlive() {
        return !child.exit().isDone();
    }

    /**
     * Returns a future that is completed when the process has ended and been reaped.
     *
     * <p>Each call returns a new future. Completing or canceling it has no effect on the helper. Dependent functions
     * run in a thread of the library. There are two such threads, and one more for each callback that blocks. A
     * callback that blocks does not delay other callbacks; run code that blocks for long in an executor of the caller.
     */
    public CompletableFuture<WaitStatus> onExit() {
        return child.exit().thenApplyAsync(end -> new WaitStatus(end.status()), CallbackThreads.executor());
    }

    /** Returns the exit status; empty while the process is alive. */
    public Optional<WaitStatus> status() {
        return isAlive()
                ? Optional.empty()
                : Optional.of(new WaitStatus(child.exit().join().status()));
    }

    /**
     * Returns the resources that the process has used. Empty while it is alive, and if other code in the JVM has
     * reaped it, also if the kernel still had its status.
     */
    public Optional<ResourceUsage> usage() {
        if (isAlive()) {
            return Optional.empty();
        }
        ResourceUsage usage = usage(child.exit().join().numbers());
        return usage.minorFaults() == 0 ? Optional.empty() : Optional.of(usage); // every program has page faults
    }

    /** The numbers are in the order of {@code enum umh_end}. */
    private static ResourceUsage usage(long[] numbers) {
        return new ResourceUsage(
                Duration.ofNanos(numbers[1] * 1_000),
                Duration.ofNanos(numbers[2] * 1_000),
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6],
                numbers[7],
                numbers[8]);
    }

    /**
     * Waits for the end of the process and returns its exit status.
     *
     * @throws InterruptedException if the waiting thread is interrupted; the helper continues to run
     */
    public WaitStatus waitFor() throws InterruptedException {
        try {
            return new WaitStatus(child.exit().get().status());
        } catch (ExecutionException e) {
            throw new AssertionError("the future of an end never fails", e);
        }
    }

    /**
     * Waits up to {@code timeout} for the end of the process. A zero or negative timeout does not wait.
     *
     * @return the exit status; empty if the process is still alive when the timeout expires
     * @throws InterruptedException if the waiting thread is interrupted; the helper continues to run
     */
    public Optional<WaitStatus> waitFor(Duration timeout) throws InterruptedException {
        try {
            Child.End end = child.exit().get(Timeouts.saturatedNanos(timeout), TimeUnit.NANOSECONDS);
            return Optional.of(new WaitStatus(end.status()));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new AssertionError("the future of an end never fails", e);
        }
    }

    /**
     * Sends a signal to the process.
     *
     * @return true if the signal was sent; false if the process has ended
     * @throws UmhException at stage KILL: {@code EPERM} if the helper has another uid and the JVM lacks
     *     {@code CAP_KILL}
     */
    public boolean kill(Signal signal) throws UmhException {
        return kill(Objects.requireNonNull(signal, "signal").number());
    }

    /**
     * Sends a signal by its number, which may be a real-time signal. The number 0 sends no signal and only checks
     * whether the process exists.
     *
     * @return as {@link #kill(Signal)}
     * @throws UmhException as {@link #kill(Signal)}
     * @throws IllegalArgumentException if the number is not in 0 to 64
     */
    public boolean kill(int signal) throws UmhException {
        if (signal < 0 || signal > Signal.MAX) {
            throw new IllegalArgumentException("signal " + signal + " is not in 0 to " + Signal.MAX);
        }
        return wasSent(child.signal(signal), signal);
    }

    /**
     * Sends a signal to the helper and to other processes in a scope.
     *
     * <p>GROUP reaches the group that the helper leads, and SESSION the session that it leads. If it leads none,
     * because of {@link org.umh4j.task.Session}, no signal is sent.
     *
     * <p>A cgroup can always be signaled. If the task has another {@link org.umh4j.task.Task#scope} than PROCESS, then
     * from Linux 6.9 on the group and the session can still be signaled between the helper's end and {@link #close},
     * the session only while the helper's process group has a member. With the scope PROCESS, the library knows the
     * group or session only by the helper's pid. That pid may be reused after the helper's end, so no signal is sent.
     *
     * @return true if the signal was sent to at least one process
     * @throws UmhException at stage KILL: as {@link #kill(Signal)}; {@code ENOENT} if the members of a session can't
     *     be found because {@code /proc} is not mounted or belongs to another pid namespace. The signal was sent to
     *     the helper itself in that case
     * @throws IllegalArgumentException if the scope is CGROUP, and the signal is not SIGKILL or the task has no
     *     cgroup path
     */
    public boolean kill(KillScope scope, Signal signal) throws UmhException {
        Objects.requireNonNull(signal, "signal");
        return switch (Objects.requireNonNull(scope, "scope")) {
            case PROCESS -> kill(signal);
            case GROUP -> wasSent(child.signalGroup(signal.number()), signal.number());
            case SESSION -> killSession(signal);
            case CGROUP -> CgroupKill.signal(cgroupPath, signal);
        };
    }

    /**
     * Signals the session, its leader last: until the leader is reaped, its pid can't belong to another session. Before
     * SIGKILL the leader is stopped, so that it starts no process meanwhile.
     */
    private boolean killSession(Signal signal) throws UmhException {
        if (!child.mayLeadSession()) {
            return false;
        }
        if (signal == Signal.KILL) {
            child.signal(Signal.STOP.number());
        }
        boolean any = false;
        try {
            any = SessionKill.signal(pid(), signal, child::ownsPid);
        } finally {
            any |= kill(signal); // also if the other members can't be found
        }
        return any;
    }

    private boolean wasSent(int result, int signal) throws UmhException {
        if (result == 0) {
            return true;
        }
        if (result == -Errno.ESRCH.number()) {
            return false;
        }
        throw new UmhException("pid " + pid(), UmhStage.KILL, result, signal);
    }

    /**
     * Returns the reading end of a pipe that {@link org.umh4j.task.Descriptors#pipeToJvm} has made.
     *
     * @param descriptor the descriptor to which the helper writes
     * @throws NoSuchElementException if that descriptor is not such a pipe
     */
    public PipeReader reader(int descriptor) {
        return new PipeReader(requirePipe(pipes.reader(descriptor), descriptor, "pipeToJvm"));
    }

    /**
     * Returns the writing end of a pipe that {@link org.umh4j.task.Descriptors#pipeFromJvm} has made.
     *
     * @param descriptor the descriptor from which the helper reads
     * @throws NoSuchElementException if that descriptor is not such a pipe
     */
    public PipeWriter writer(int descriptor) {
        return new PipeWriter(requirePipe(pipes.writer(descriptor), descriptor, "pipeFromJvm"));
    }

    private static PipeEnd requirePipe(@Nullable PipeEnd end, int descriptor, String method) {
        if (end == null) {
            throw new NoSuchElementException("descriptor " + descriptor + " is not a pipe made by Descriptors." + method
                    + "(" + descriptor + ")");
        }
        return end;
    }

    /**
     * Returns the stream to the helper's descriptor 0. Closing it gives the helper end of file.
     *
     * @throws NoSuchElementException if descriptor 0 was not made by {@link org.umh4j.task.Descriptors#pipeFromJvm}. By
     *     default it is {@code /dev/null}
     */
    public OutputStream stdin() {
        return writer(0).stream();
    }

    /**
     * Returns the stream from the helper's descriptor 1.
     *
     * @throws NoSuchElementException if descriptor 1 was not made by {@link org.umh4j.task.Descriptors#pipeToJvm}. By
     *     default it is {@code /dev/null}
     */
    public InputStream stdout() {
        return reader(1).stream();
    }

    /**
     * Returns the stream from the helper's descriptor 2.
     *
     * @throws NoSuchElementException if descriptor 2 was not made by {@link org.umh4j.task.Descriptors#pipeToJvm}. By
     *     default it is {@code /dev/null}
     */
    public InputStream stderr() {
        return reader(2).stream();
    }

    Pipes pipes() {
        return pipes;
    }

    /**
     * Returns a setup with which another helper joins the namespaces of this one. Without an argument it joins all
     * kinds but the user namespace. A start with it fails with {@code ESRCH} after this helper has been reaped.
     */
    public NamespaceSetup namespaces(Namespace... kinds) {
        return NamespaceSetup.defaults().join(new HelperHandle(this), kinds);
    }

    /** Opens a pidfd of the process, owned by {@code opened}; {@code -ESRCH} if it was reaped. */
    int openPidfd(OpenedFiles opened) {
        return child.openPid(opened);
    }

    /** A future that completes in the reaper's thread. Only for dependents that do not block. */
    CompletableFuture<?> exitEvent() {
        return child.exit();
    }

    /**
     * Returns the JDK's handle of the process; empty after its end, since its pid may belong to another process then.
     */
    public Optional<ProcessHandle> toHandle() {
        Optional<ProcessHandle> found = ProcessHandle.of(pid());
        if (child.isReaped()) {
            return Optional.empty(); // checked after the lookup: the pid was the helper's while the handle was made
        }
        found.ifPresent(handle -> jdkHandle = handle);
        return found;
    }

    /** The JDK's handle, also after the end if it was obtained before; else a {@link HelperHandle}. */
    ProcessHandle handle() {
        toHandle();
        ProcessHandle known = jdkHandle;
        return known == null ? new HelperHandle(this) : known;
    }

    /**
     * Returns the helper as a {@link Process}, for libraries that take one. Each call returns the same object.
     *
     * <p>The process behaves like those of the JDK, and therefore differs from this class:
     *
     * <ul>
     *   <li>Its streams are the pipes at descriptors 0, 1 and 2, with buffers. Use either these streams or those of the
     *       helper, not both. Without a pipe the output is at its end and the input is closed.
     *   <li>An interrupt does not end a read or a write. A closed stream fails with {@code Stream closed}.
     *       {@code destroy} closes the streams.
     *   <li>The descriptors of these pipes are closed when the process has ended; its remaining output can still be
     *       read. If another process still holds the writing end, the output continues as long as a thread reads it,
     *       and ends after two seconds without a read. The pipes of a live process stay open even if the
     *       {@code Process} becomes unreachable.
     *   <li>Its exit value is the exit code, or 128 plus the signal's number, or 255 if the status was lost.
     *   <li>{@code toHandle} and {@code info} never throw. If the process had ended before this method or
     *       {@link #toHandle} was called, the handle is not one of the JDK, has only the pid, and can't be compared
     *       with handles of the JDK.
     *   <li>From JDK 26 on {@code Process} has a {@code close} too, which closes the streams and <em>waits</em> for
     *       the end. {@link #close} of this class <em>kills</em>, and also closes pipes at other descriptors than 0,
     *       1 and 2.
     * </ul>
     */
    public synchronized Process toProcess() {
        processView = processView == null ? new HelperProcess(this) : processView;
        return processView;
    }

    /**
     * Returns the stages that the host refused and that were not required; see
     * {@link org.umh4j.task.Task#allowUnapplied}. The set is empty for a JVM of root on an ordinary host.
     */
    public Set<UmhStage> unapplied() {
        return StageNumbers.of(child.outcome().join().unapplied());
    }

    /**
     * Detaches the process from this object: {@link #close} closes the pipes and does not kill. The process is still
     * reaped, and it can still be signaled and awaited.
     *
     * <p>The end of the JVM kills no helper, detached or not, unless the task has a
     * {@link org.umh4j.task.SignalState#parentDeathSignal}. A helper that stays in the JVM's session, by
     * {@link org.umh4j.task.Session#inherited()} for instance, can still be ended by a signal of that session's
     * terminal.
     *
     * @return this helper
     */
    public Helper detach() {
        detached = true;
        return this;
    }

    /**
     * Kills the process and the other processes in the {@link org.umh4j.task.Task#scope scope} of its task, closes
     * the pipes, and waits until the process is reaped. If the process has ended already, the first call still kills
     * the other processes in the scope as far as {@link #kill(KillScope, Signal)} reaches them.
     *
     * <p>The wait ends after five seconds, which only a process that hangs in the kernel or is frozen exceeds. The
     * library then logs a warning once to the {@link System.Logger} {@code org.umh4j}. {@link #isAlive} stays true, and
     * the process is reaped when it ends.
     *
     * <p>An interrupt does not end the wait. A further call is permitted, and does not wait for such a process again.
     */
    @Override
    public void close() {
        if (!detached) {
            killAll();
        }
        pipes.close(); // after SIGKILL, so that the exit status is not that of a broken pipe
        if (!detached && !survivedClose) {
            Timeouts.uninterruptibly(Timeouts.CLOSE, this::waitFor);
        }
        child.release();
        if (!detached && !survivedClose) {
            reportIfAlive(); // last: a user's logger may throw
        }
    }

    private void reportIfAlive() {
        if (isAlive()) {
            survivedClose = true;
            System.getLogger("org.umh4j")
                    .log(
                            System.Logger.Level.WARNING,
                            "pid " + pid() + " has not ended within " + Timeouts.CLOSE.toSeconds()
                                    + " s after SIGKILL: it is frozen or hangs in the kernel; see /proc/" + pid()
                                    + "/stack");
        }
    }

    /** Sends SIGTERM to the helper and the other processes in its scope; false if the helper has ended already. */
    boolean terminate() throws UmhException {
        // Only SIGKILL can be sent to a cgroup.
        KillScope scope = closeScope == KillScope.CGROUP ? KillScope.PROCESS : closeScope;
        return kill(0) && (kill(scope, Signal.TERM) || kill(Signal.TERM)); // the helper may not lead a group
    }

    /**
     * Sends SIGKILL to the helper and the other processes in its scope. The others come first: before Linux 6.9 they
     * can only be found while their leader is not reaped.
     *
     * @return true if the signal was sent to at least one process
     */
    boolean killAll() {
        boolean reached = false;
        if (closeScope != KillScope.PROCESS) {
            try {
                reached = kill(closeScope, Signal.KILL);
            } catch (UmhException e) {
                System.getLogger("org.umh4j")
                        .log(System.Logger.Level.WARNING, "some processes in the scope of a helper were not killed", e);
            }
        }
        return child.signal(Signal.KILL.number()) == 0 || reached;
    }

    @Override
    public String toString() {
        return "Helper[pid " + pid() + ", " + status().map(WaitStatus::toString).orElse("alive") + "]";
    }
}
