// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.umh4j.internal.PipeEnd;

/**
 * A helper as the JDK's Process. Handle, info, children and descendants come from the JDK itself: from a handle that is taken
 * while the process lives, and knows its start time.
 */
final class HelperProcess extends Process {
    private static final int SIGNALED = 128;
    private static final int LOST = 255;

    private final Helper helper;
    private final Optional<ProcessHandle> handle;
    private final OutputStream stdin;
    private final InputStream stdout;
    private final InputStream stderr;

    HelperProcess(Helper helper) {
        this.helper = helper;
        handle = helper.toHandle();
        stdin = helper.hasWriter(0) ? new BufferedOutputStream(helper.stdin()) : OutputStream.nullOutputStream();
        stdout = output(1);
        stderr = output(2);
    }

    private InputStream output(int target) {
        PipeEnd pipe = helper.pipes().reader(target);
        return pipe == null ? InputStream.nullInputStream() : new BufferedInputStream(new ProcessOutput(helper, pipe));
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
        return helper.waitFor(Duration.ofNanos(unit.toNanos(timeout))).isPresent();
    }

    @Override
    public int exitValue() {
        Optional<WaitStatus> status = helper.status();
        return exitValue(status.orElseThrow(() -> new IllegalThreadStateException("process has not exited")));
    }

    private static int exitValue(WaitStatus status) {
        return status.lost() ? LOST : status.exited() ? status.exitCode() : SIGNALED + status.signal();
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

    /** The JDK's process swallows this too: a helper that has become another user's can't be signalled. */
    private void destroy(Signal signal) {
        try {
            helper.kill(signal);
        } catch (UmhException e) {
            System.getLogger("org.umh4j").log(System.Logger.Level.DEBUG, "not signalled", e);
        }
        closeStreams();
    }

    /** As the JDK's process does it: callers rely on that, and close nothing. */
    private void closeStreams() {
        if (helper.hasWriter(0)) {
            helper.writer(0).close(); // first, so that nobody waits for room for what is buffered
        }
        for (Closeable stream : new Closeable[] {stdin, stdout, stderr}) {
            try {
                stream.close();
            } catch (IOException e) {
                // what was buffered for a process that was to end
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
        return handle.orElseThrow(() -> new UnsupportedOperationException("the process had ended when this view was made"));
    }

    @Override
    public Stream<ProcessHandle> children() {
        return handle.stream().flatMap(ProcessHandle::children);
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return handle.stream().flatMap(ProcessHandle::descendants);
    }

    @Override
    public String toString() {
        return "Process[pid=" + pid() + ", exitValue=" + helper.status().map(s -> "" + exitValue(s)).orElse("\"not exited\"") + "]";
    }
}
