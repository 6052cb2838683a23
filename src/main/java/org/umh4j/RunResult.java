// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.umh4j.internal.Bytes;
import org.umh4j.linux.ResourceUsage;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/**
 * The result of {@link UsermodeHelper#run}: the status of a helper that has ended, its output, and the resources that
 * it has used.
 *
 * <pre>{@code
 * String routes = UsermodeHelper.run(info, Duration.ofSeconds(5)).requireSuccess().stdoutText();
 * }</pre>
 *
 * @param status how it ended; {@linkplain WaitStatus lost} if no status is known
 * @param stdout its output to descriptor 1, up to {@link RunOptions#outputLimit}
 * @param stderr its output to descriptor 2, up to {@link RunOptions#outputLimit}
 * @param stdoutTruncated whether output to descriptor 1 was dropped
 * @param stderrTruncated whether output to descriptor 2 was dropped
 * @param startTime the time at which {@code execve} succeeded
 * @param elapsed the time from the call to the helper's end, by a monotonic clock; if the helper hangs in the kernel,
 *     to the end of the wait
 * @param signalsSent the signals that {@code run} sent because the timeout had expired, in their order; empty without
 *     timeout
 * @param usage the resources that the helper used; empty if its status was lost
 * @param unapplied the stages that the host refused and that were not required, as in {@link Helper#unapplied}
 */
public record RunResult(
        WaitStatus status,
        byte[] stdout,
        byte[] stderr,
        boolean stdoutTruncated,
        boolean stderrTruncated,
        Instant startTime,
        Duration elapsed,
        List<SentSignal> signalsSent,
        Optional<ResourceUsage> usage,
        Set<UmhStage> unapplied) {
    /**
     * A signal that {@code run} sent to a helper.
     *
     * @param signal the signal
     * @param after the time from the call to the signal, by the clock of {@link RunResult#elapsed}
     */
    public record SentSignal(Signal signal, Duration after) {
        /** Requires that no component is null. */
        public SentSignal {
            Objects.requireNonNull(signal, "signal");
            Objects.requireNonNull(after, "after");
        }
    }

    /** Requires that no component is null. */
    public RunResult {
        Objects.requireNonNull(status, "status");
        Objects.requireNonNull(stdout, "stdout");
        Objects.requireNonNull(stderr, "stderr");
        Objects.requireNonNull(startTime, "startTime");
        Objects.requireNonNull(elapsed, "elapsed");
        Objects.requireNonNull(signalsSent, "signalsSent");
        Objects.requireNonNull(usage, "usage");
        Objects.requireNonNull(unapplied, "unapplied");
    }

    /** Decodes {@link #stdout} in the system's encoding. */
    public String stdoutText() {
        return Bytes.toString(stdout);
    }

    /** Decodes {@link #stderr} in the system's encoding. */
    public String stderrText() {
        return Bytes.toString(stderr);
    }

    /**
     * Returns this result if the exit code is 0.
     *
     * @throws HelperFailedException if the exit code is another one, a signal ended the helper, or the status is lost;
     *     with this result
     */
    public RunResult requireSuccess() throws HelperFailedException {
        if (!status.success()) {
            throw new HelperFailedException(status.toString(), this, null);
        }
        return this;
    }

    @Override
    public String toString() {
        return "RunResult[" + status + ", " + stdout.length + (stdoutTruncated ? "+" : "") + " bytes stdout, "
                + stderr.length + (stderrTruncated ? "+" : "") + " bytes stderr, " + elapsed + "]";
    }
}
