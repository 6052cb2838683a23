// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A helper as the JDK's Process. Handle, info, children and descendants come from the JDK itself. */
final class HelperProcess extends Process {
    private static final int SIGNALED = 128;
    private static final int LOST = 255;

    private final Helper helper;
    private final OutputStream stdin;
    private final InputStream stdout;
    private final InputStream stderr;

    HelperProcess(Helper helper) {
        this.helper = helper;
        stdin = helper.hasWriter(0) ? new BufferedOutputStream(helper.stdin()) : OutputStream.nullOutputStream();
        stdout = helper.hasReader(1) ? new BufferedInputStream(helper.stdout()) : InputStream.nullInputStream();
        stderr = helper.hasReader(2) ? new BufferedInputStream(helper.stderr()) : InputStream.nullInputStream();
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
        signal(Signal.TERM);
    }

    @Override
    public Process destroyForcibly() {
        signal(Signal.KILL);
        return this;
    }

    /** The JDK's process swallows this too: a helper that has become another user's can't be signalled. */
    private void signal(Signal signal) {
        try {
            helper.kill(signal);
        } catch (UmhException e) {
            System.getLogger("org.umh4j").log(System.Logger.Level.DEBUG, "not signalled", e);
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
        return helper.toHandle().orElseThrow(() -> new UnsupportedOperationException("the process has ended"));
    }

    @Override
    public String toString() {
        return "Process[pid=" + pid() + ", exitValue=" + helper.status().map(s -> "" + exitValue(s)).orElse("\"not exited\"") + "]";
    }
}
