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
import org.umh4j.internal.Stages;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.ResourceUsage;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.KillScope;
import org.umh4j.task.NamespaceSetup;

/**
 * A program that was started and may be running.
 *
 * <p>It is one process, whatever becomes of its number: signals go through a pidfd and can't reach a later process with
 * the same pid. It is reaped as soon as it ends, whether anybody asks or not, and costs one descriptor until then and
 * no thread.
 *
 * <p>Its pipes, if it has any, stay open until they or the helper are closed. A pipe reaches its end when no process
 * holds its other end any more. For a library that takes a {@link Process} there is {@link #toProcess}. {@link #close}
 * also kills; call {@link #detach} for a helper that must outlive its handle. If a handle is dropped without
 * {@code close}, the process goes on and is reaped at its end. Its pipes are closed some time after they have become
 * unreachable too.
 *
 * <p>All methods may be called from any thread at any time, also after {@link #close}.
 */
public final class Helper implements AutoCloseable {
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Child child;
    private final Pipes pipes;
    private final KillScope scope;
    private final @Nullable String cgroup;
    private final Instant startTime = Instant.now();
    private volatile boolean detached;
    /** SIGKILL was sent, and the process had not ended at the end of the wait. */
    private volatile boolean outlived;

    private volatile @Nullable ProcessHandle handle;
    private @Nullable HelperProcess process;

    Helper(SubprocessInfo info, Child child, Pipes pipes) {
        this.child = child;
        this.pipes = pipes;
        this.scope = info.task().scope();
        this.cgroup = info.task().limits().cgroupPath().orElse(null);
    }

    /** The process id, in this JVM's pid namespace. */
    public long pid() {
        return child.pid();
    }

    /** When its program was in place. */
    public Instant startTime() {
        return startTime;
    }

    /** Whether the process has not been reaped yet. */
    public boolean isAlive() {
        return !child.exit().isDone();
    }

    /**
     * A future that is completed when the process has ended and been reaped.
     *
     * <p>Each call returns a new future; completing or cancelling it does nothing to the helper. Dependent stages run
     * in a thread of the library. There are two such threads, and one more for each callback that blocks. A callback
     * that blocks does not delay other callbacks, but code that blocks for long belongs in the caller's own executor.
     */
    public CompletableFuture<WaitStatus> onExit() {
        return child.exit().thenApplyAsync(end -> new WaitStatus(end.status()), CallbackThreads.executor());
    }

    /** The status if the process has ended. */
    public Optional<WaitStatus> status() {
        return isAlive()
                ? Optional.empty()
                : Optional.of(new WaitStatus(child.exit().join().status()));
    }

    /** What the process has used, once it has ended; empty when its status was lost or taken by somebody else. */
    public Optional<ResourceUsage> usage() {
        if (isAlive()) {
            return Optional.empty();
        }
        ResourceUsage usage = usage(child.exit().join().numbers());
        return usage.minorFaults() == 0 ? Optional.empty() : Optional.of(usage); // no program runs without one
    }

    /** In the order of enum umh_end. */
    private static ResourceUsage usage(long[] end) {
        return new ResourceUsage(
                Duration.ofNanos(end[1] * 1_000),
                Duration.ofNanos(end[2] * 1_000),
                end[3],
                end[4],
                end[5],
                end[6],
                end[7],
                end[8]);
    }

    /**
     * Waits for the end of the process.
     *
     * @throws InterruptedException if the waiting thread is interrupted; the helper runs on
     */
    public WaitStatus waitFor() throws InterruptedException {
        try {
            return new WaitStatus(child.exit().get().status());
        } catch (ExecutionException e) {
            throw new AssertionError("an end is no failure", e);
        }
    }

    /**
     * Waits for the end of the process, but not for ever.
     *
     * @return the status; empty when the process was still alive at the end of the timeout
     * @throws InterruptedException if the waiting thread is interrupted; the helper runs on
     */
    public Optional<WaitStatus> waitFor(Duration timeout) throws InterruptedException {
        try {
            Child.End end = child.exit().get(Timeouts.saturatedNanos(timeout), TimeUnit.NANOSECONDS);
            return Optional.of(new WaitStatus(end.status()));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new AssertionError("an end is no failure", e);
        }
    }

    /**
     * Sends a signal to the process.
     *
     * @return whether it was sent; false when the process has ended
     * @throws UmhException if the kernel refuses: {@code EPERM} for a helper that has become another user's
     */
    public boolean kill(Signal signal) throws UmhException {
        return kill(Objects.requireNonNull(signal, "signal").number());
    }

    /**
     * Sends a signal by number, real-time signals among them; 0 only asks whether the process exists.
     *
     * @return as {@link #kill(Signal)}
     * @throws UmhException as {@link #kill(Signal)}
     */
    public boolean kill(int signal) throws UmhException {
        if (signal < 0 || signal > Signal.MAX) {
            throw new IllegalArgumentException("signal " + signal + " is not in 0 to " + Signal.MAX);
        }
        return sent(child.signal(signal), signal);
    }

    /**
     * Sends a signal to the helper and to what it has started, as far as the scope reaches.
     *
     * <p>Also after the helper's end, when the call was set up with {@link SubprocessInfo#scope}: a group from Linux 6.9 on, a
     * session as long as the helper's own group has a member, a cgroup always. Otherwise its number is all there is to
     * tell group or session by, and with the helper's end that can become another's: then nobody is reached.
     *
     * @return whether there was anybody
     * @throws UmhException if the kernel refuses; {@code ENOENT} when the members of a session can't be found because
     *     {@code /proc} is missing or that of another pid namespace: the helper itself was signalled
     * @throws IllegalArgumentException if the reach is a cgroup and the signal not SIGKILL, or the call has named no cgroup
     */
    public boolean kill(KillScope reach, Signal signal) throws UmhException {
        Objects.requireNonNull(signal, "signal");
        return switch (Objects.requireNonNull(reach, "reach")) {
            case PROCESS -> kill(signal);
            case GROUP -> sent(child.signalGroup(signal.number()), signal.number());
            case SESSION -> killSession(signal);
            case CGROUP -> ScopedKill.cgroup(cgroup, signal);
        };
    }

    /** The leader last: as long as it is not reaped its number is the session's. Stopped, it starts nobody meanwhile. */
    private boolean killSession(Signal signal) throws UmhException {
        if (!child.mayLeadSession()) {
            return false;
        }
        if (signal == Signal.KILL) {
            child.signal(Signal.STOP.number());
        }
        boolean any = false;
        try {
            any = ScopedKill.session(pid(), signal, child::holdsNumber);
        } finally {
            any |= kill(signal); // also where nobody else can be found
        }
        return any;
    }

    private boolean sent(int result, int signal) throws UmhException {
        if (result == 0) {
            return true;
        }
        if (result == -Errno.ESRCH.number()) {
            return false;
        }
        throw new UmhException("pid " + pid(), UmhStage.KILL, result, signal);
    }

    /** The JVM's end of the pipe on which the helper writes to this descriptor; {@link org.umh4j.task.Descriptors#pipeToJvm} made it. */
    public PipeReader reader(int target) {
        return new PipeReader(required(pipes.reader(target), target));
    }

    /** The JVM's end of the pipe from which the helper reads at this descriptor; {@link org.umh4j.task.Descriptors#pipeFromJvm} made it. */
    public PipeWriter writer(int target) {
        return new PipeWriter(required(pipes.writer(target), target));
    }

    private static PipeEnd required(@Nullable PipeEnd end, int target) {
        if (end == null) {
            throw new NoSuchElementException("descriptor " + target + " is no pipe in this direction");
        }
        return end;
    }

    /** What the helper reads at descriptor 0; to be closed for its end of file. */
    public OutputStream stdin() {
        return writer(0).stream();
    }

    /** What the helper writes to descriptor 1. */
    public InputStream stdout() {
        return reader(1).stream();
    }

    /** What the helper writes to descriptor 2. */
    public InputStream stderr() {
        return reader(2).stream();
    }

    Pipes pipes() {
        return pipes;
    }

    /**
     * The namespaces of this helper, for another helper to join; all kinds but the user namespace if none is named. A
     * start with them fails with {@code ESRCH} once this helper has been reaped.
     */
    public NamespaceSetup namespaces(Namespace... kinds) {
        return NamespaceSetup.defaults().join(new HelperHandle(this), kinds);
    }

    /** Opens a pidfd of it, owned by {@code opened}; {@code -ESRCH} when it was reaped. */
    int openPid(OpenedFiles opened) {
        return child.openPid(opened);
    }

    /** Completed in the reaper's thread: for dependents of our own, which do not block. */
    CompletableFuture<?> exitEvent() {
        return child.exit();
    }

    /** The JDK's view of the process; empty when it has ended, since its number may be another process's now. */
    public Optional<ProcessHandle> toHandle() {
        Optional<ProcessHandle> found = ProcessHandle.of(pid());
        if (child.isReaped()) {
            return Optional.empty(); // asked in this order: it was the helper's when it was taken
        }
        found.ifPresent(known -> handle = known);
        return found;
    }

    /** The JDK's handle, even after the end if it was obtained before; else a {@link HelperHandle}. */
    ProcessHandle handle() {
        toHandle();
        ProcessHandle known = handle;
        return known == null ? new HelperHandle(this) : known;
    }

    /**
     * The helper as a {@link Process}, for libraries that take one; the same object each time.
     *
     * <p>It behaves like the JDK's own processes, and therefore differs from this class:
     *
     * <ul>
     *   <li>Its streams are the pipes at descriptors 0, 1 and 2, buffered. Use either these streams or the helper's
     *       own, not both. Without a pipe the output is at its end and the input is closed.
     *   <li>An interrupt does not end a read or a write. A closed stream fails with {@code Stream closed}.
     *       {@code destroy} closes the streams.
     *   <li>The descriptors of those pipes are closed when the process has ended; its remaining output can still be
     *       read. If another process still holds the output's other end, the output goes on as long as a thread reads
     *       it, and ends after two seconds without a read. The pipes of a live process stay open even if the view is
     *       dropped.
     *   <li>Its exit value is the exit code, 128 and the signal's number after a signal, 255 when the status was lost.
     *   <li>{@code toHandle} and {@code info} never throw. If the process had ended before this method or
     *       {@link #toHandle} was called, the handle is not one of the JDK's and can't be compared with those; it knows
     *       only the pid.
     *   <li>From JDK 26 on {@code Process} has a {@code close} too, which closes the streams and <em>waits</em> for the
     *       end. {@link #close} of this class <em>kills</em>. Only the latter closes pipes at other descriptors than 0,
     *       1 and 2.
     * </ul>
     */
    public synchronized Process toProcess() {
        process = process == null ? new HelperProcess(this) : process;
        return process;
    }

    /**
     * What the helper was not given because this host does not let the JVM give it: the attributes of these stages are
     * as the JVM has them. Empty on an ordinary host for a JVM of root.
     */
    public Set<UmhStage> unapplied() {
        return Stages.of(child.outcome().join().unapplied());
    }

    /**
     * Lets the helper run on whatever becomes of this handle: {@link #close} will close its pipes and not kill it. It is
     * still reaped. A helper of its own session also outlives the JVM.
     */
    public Helper detach() {
        detached = true;
        return this;
    }

    /**
     * Kills the process if it is alive, or as much as the call's {@link SubprocessInfo#scope scope} says, closes its pipes,
     * and waits until it is reaped. The wait takes at most five seconds, which only a process needs that hangs in the kernel
     * or is frozen. Such a process is reported once to the {@link System.Logger} {@code org.umh4j}, {@link #isAlive} returns
     * true, and it is reaped when it ends. Not interruptible; may be called again, and then does not wait for such a process.
     */
    @Override
    public void close() {
        if (!detached) {
            killAll();
        }
        pipes.close(); // after the signal: its end shall be that, and not a broken pipe
        if (!detached && !outlived) {
            Timeouts.uninterruptibly(CLOSE_TIMEOUT, this::waitFor);
            reportIfAlive();
        }
        child.release();
    }

    private void reportIfAlive() {
        if (isAlive()) {
            outlived = true;
            System.getLogger("org.umh4j")
                    .log(
                            System.Logger.Level.WARNING,
                            "pid " + pid() + " has not ended within " + CLOSE_TIMEOUT.toSeconds() + " s after SIGKILL");
        }
    }

    /** Asks it to end, with what the scope says beside it; false when it has ended already. */
    boolean terminate() throws UmhException {
        KillScope reach = scope == KillScope.CGROUP ? KillScope.PROCESS : scope; // nothing but SIGKILL reaches a cgroup
        return kill(0) && (kill(reach, Signal.TERM) || kill(Signal.TERM)); // it may lead no group
    }

    /**
     * The scope first: where the kernel has no better way, it is found by a leader that has not been reaped.
     *
     * @return whether something was left to be killed
     */
    boolean killAll() {
        boolean reached = false;
        if (scope != KillScope.PROCESS) {
            try {
                reached = kill(scope, Signal.KILL);
            } catch (UmhException e) {
                System.getLogger("org.umh4j").log(System.Logger.Level.WARNING, "not all of a helper was killed", e);
            }
        }
        return child.signal(Signal.KILL.number()) == 0 || reached;
    }

    @Override
    public String toString() {
        return "Helper[pid " + pid() + ", " + status().map(WaitStatus::toString).orElse("alive") + "]";
    }
}
