// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.PidfdSource;
import org.umh4j.linux.Signal;

/**
 * A process handle for a helper that has ended. The JDK creates a handle for a pid only, and only while {@code /proc}
 * has that pid. For an ended process a handle of the JDK has no more information than this one.
 */
final class HelperHandle implements ProcessHandle, PidfdSource {
    private final Helper helper;

    HelperHandle(Helper helper) {
        this.helper = helper;
    }

    @Override
    public int openPidfd(OpenedFiles opened) {
        return helper.openPidfd(opened);
    }

    @Override
    public long pid() {
        return helper.pid();
    }

    @Override
    public Optional<ProcessHandle> parent() {
        return isAlive() ? Optional.of(ProcessHandle.current()) : Optional.empty();
    }

    @Override
    public Stream<ProcessHandle> children() {
        return Stream.empty();
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return Stream.empty();
    }

    @Override
    public Info info() {
        return EmptyInfo.INFO;
    }

    @Override
    public CompletableFuture<ProcessHandle> onExit() {
        return helper.onExit().thenApply(status -> this);
    }

    @Override
    public boolean supportsNormalTermination() {
        return true;
    }

    @Override
    public boolean destroy() {
        return kill(Signal.TERM);
    }

    @Override
    public boolean destroyForcibly() {
        return kill(Signal.KILL);
    }

    private boolean kill(Signal signal) {
        try {
            return helper.kill(signal);
        } catch (UmhException e) {
            return false;
        }
    }

    @Override
    public boolean isAlive() {
        return helper.isAlive();
    }

    @Override
    public int compareTo(ProcessHandle other) {
        return Long.compare(pid(), other.pid());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HelperHandle handle && handle.helper == helper;
    }

    @Override
    public int hashCode() {
        return Objects.hash(pid(), helper.startTime());
    }

    @Override
    public String toString() {
        return Long.toString(pid());
    }

    /** The info of an ended process: every field is empty. */
    private enum EmptyInfo implements Info {
        INFO;

        @Override
        public Optional<String> command() {
            return Optional.empty();
        }

        @Override
        public Optional<String> commandLine() {
            return Optional.empty();
        }

        @Override
        public Optional<String[]> arguments() {
            return Optional.empty();
        }

        @Override
        public Optional<Instant> startInstant() {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> totalCpuDuration() {
            return Optional.empty();
        }

        @Override
        public Optional<String> user() {
            return Optional.empty();
        }

        @Override
        public String toString() {
            return "[]";
        }
    }
}
