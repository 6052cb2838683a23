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
 * What came of a helper that {@link UsermodeHelper#run} ran.
 *
 * @param status how it ended; lost also when it hangs in the kernel and could not be killed
 * @param stdout what it wrote to descriptor 1, as much as was to be kept
 * @param stderr what it wrote to descriptor 2, as much as was to be kept
 * @param stdoutTruncated whether it wrote more
 * @param stderrTruncated whether it wrote more
 * @param startTime when its program was in place
 * @param elapsed from the call to its end, by a monotonic clock; if it hangs in the kernel, to the moment at which
 *     waiting ended
 * @param sent the signals that it was sent because its time was over, in their order; none when it ended in time
 * @param usage what it used up; empty when its status was lost
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
        List<Sent> sent,
        Optional<ResourceUsage> usage,
        Set<UmhStage> unapplied) {
    /**
     * A signal that ended a helper's time.
     *
     * @param signal which one
     * @param after the time from the call to the signal, by the clock of {@link RunResult#elapsed}
     */
    public record Sent(Signal signal, Duration after) {
        /** No component may be null. */
        public Sent {
            Objects.requireNonNull(signal, "signal");
            Objects.requireNonNull(after, "after");
        }
    }

    /** No component may be null. */
    public RunResult {
        Objects.requireNonNull(status, "status");
        Objects.requireNonNull(stdout, "stdout");
        Objects.requireNonNull(stderr, "stderr");
        Objects.requireNonNull(startTime, "startTime");
        Objects.requireNonNull(elapsed, "elapsed");
        Objects.requireNonNull(sent, "sent");
        Objects.requireNonNull(usage, "usage");
        Objects.requireNonNull(unapplied, "unapplied");
    }

    /** Standard output as text in the system's encoding. */
    public String out() {
        return Bytes.toString(stdout);
    }

    /** Standard error as text in the system's encoding. */
    public String err() {
        return Bytes.toString(stderr);
    }

    /**
     * This result, if the exit code is 0.
     *
     * @throws HelperFailedException if it is another one, or none; with this result
     */
    public RunResult requireSuccess() throws HelperFailedException {
        if (!status.success()) {
            throw new HelperFailedException(status.toString(), this, null);
        }
        return this;
    }

    @Override
    public String toString() {
        return "Result[" + status + ", " + stdout.length + (stdoutTruncated ? "+" : "") + " bytes out, " + stderr.length
                + (stderrTruncated ? "+" : "") + " bytes err, " + elapsed + "]";
    }
}
