// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.umh4j.internal.PipeEnd;
import org.umh4j.internal.Pipes;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;

/**
 * A helper as a {@link Process} of the JDK. Info, children and descendants come from a handle of the JDK, which is
 * obtained while the process is alive and so has its start time.
 *
 * <p>Class Process has a {@code close} method since JDK 26, which this class must inherit. A method of that name here
 * would override it without a warning, since the class is compiled for 17.
 */
final class HelperProcess extends Process {
    private static final int LOST = 255;

    private final Helper helper;
    private final ProcessHandle handle;
    private final OutputStream stdin;
    private final InputStream stdout;
    private final InputStream stderr;

    HelperProcess(Helper helper) {
        this.helper = helper;
        handle = helper.handle();
        Pipes pipes = helper.pipes();
        stdin = ProcessStreams.input(pipes.writer(0));
        stdout = ProcessStreams.output(pipes.reader(1));
        stderr = ProcessStreams.output(pipes.reader(2));
        helper.exitEvent().thenRun(pipes::releaseStandardStreams); // this also keeps the pipes reachable until the exit
    }

    @Override
    public OutputStream getOutputStream() {
        return stdin;
    }

    @Override
    public InputStream getInputStream() {
        return stdout;
    }

    @Override
    public InputStream getErrorStream() {
        return stderr;
    }

    @Override
    public int waitFor() throws InterruptedException {
        return exitValue(helper.waitFor());
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
        return helper.waitFor(
                        Duration.ofNanos(Objects.requireNonNull(unit, "unit").toNanos(timeout)))
                .isPresent();
    }

    @Override
    public int exitValue() {
        Optional<WaitStatus> status = helper.status();
        return exitValue(status.orElseThrow(() -> new IllegalThreadStateException("process hasn't exited")));
    }

    private static int exitValue(WaitStatus status) {
        return status.lost() ? LOST : status.shellStatus();
    }

    @Override
    public void destroy() {
        destroy(Signal.TERM);
    }

    @Override
    public Process destroyForcibly() {
        destroy(Signal.KILL);
        return this;
    }

    /** Ignores EPERM for a helper with another uid, as the JDK's process does. */
    private void destroy(Signal signal) {
        try {
            helper.kill(signal);
        } catch (UmhException e) {
            System.getLogger("org.umh4j").log(System.Logger.Level.DEBUG, "a helper could not be signaled", e);
        }
        closeStreams();
    }

    /** Closes the streams, as the JDK's process does. Callers rely on it. */
    private void closeStreams() {
        Pipes pipes = helper.pipes();
        for (PipeEnd end : new PipeEnd[] {pipes.writer(0), pipes.reader(1), pipes.reader(2)}) {
            if (end != null) {
                end.closeForNewCalls(); // first, so that closing a stream does not wait to write its buffer
            }
        }
        for (Closeable stream : new Closeable[] {stdin, stdout, stderr}) {
            try {
                stream.close();
            } catch (IOException e) {
                // the buffered bytes for the destroyed process are lost
            }
        }
    }

    @Override
    public boolean supportsNormalTermination() {
        return true;
    }

    @Override
    public boolean isAlive() {
        return helper.isAlive();
    }

    @Override
    public long pid() {
        return helper.pid();
    }

    @Override
    public CompletableFuture<Process> onExit() {
        return helper.onExit().thenApply(status -> this);
    }

    @Override
    public ProcessHandle toHandle() {
        return handle;
    }

    @Override
    public Stream<ProcessHandle> children() {
        return handle.children();
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return handle.descendants();
    }

    @Override
    public String toString() {
        return "Process[pid=" + pid() + ", exitValue="
                + helper.status().map(s -> "" + exitValue(s)).orElse("\"not exited\"") + "]";
    }
}
