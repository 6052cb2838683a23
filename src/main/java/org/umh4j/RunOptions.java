// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.nio.channels.Channel;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Descriptors;

/**
 * The options of {@link UsermodeHelper#run}: the input of the helper, the limit of its output, the timeout.
 * Immutable; each method returns a changed copy.
 *
 * <pre>{@code
 * RunResult sorted = UsermodeHelper.run(info, RunOptions.defaults().input(bytes).timeout(Duration.ofSeconds(5)));
 * }</pre>
 *
 * <p>By default the helper reads {@code /dev/null}, up to 1 MiB of each output stream is in the result, there is no
 * timeout, and the grace period between SIGTERM and SIGKILL is two seconds.
 */
public final class RunOptions {
    /** The default of {@link #grace}: two seconds. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(2);

    private static final int DEFAULT_OUTPUT_LIMIT = 1 << 20;
    private static final RunOptions DEFAULTS = new RunOptions(null, null, DEFAULT_OUTPUT_LIMIT, null, DEFAULT_GRACE);

    private final byte @Nullable [] input;
    private final @Nullable Channel inputChannel;
    private final int outputLimit;
    private final @Nullable Duration timeout;
    private final Duration grace;

    private RunOptions(
            byte @Nullable [] input,
            @Nullable Channel inputChannel,
            int outputLimit,
            @Nullable Duration timeout,
            Duration grace) {
        this.input = input;
        this.inputChannel = inputChannel;
        this.outputLimit = outputLimit;
        this.timeout = timeout;
        this.grace = grace;
    }

    /**
     * Returns options without input and timeout, with 1 MiB of each output stream and a grace period of two seconds.
     */
    public static RunOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Sets the bytes that the helper reads at descriptor 0, followed by end of file. They replace an earlier input, and
     * descriptor 0 of the task.
     */
    public RunOptions input(byte[] bytes) {
        return new RunOptions(Objects.requireNonNull(bytes, "bytes").clone(), null, outputLimit, timeout, grace);
    }

    /**
     * Gives the helper the descriptor of a channel as its descriptor 0. The channel must be one of the JDK's own: a
     * file, a socket, a pipe. The data does not pass through the JVM. It replaces an earlier input, and descriptor 0 of
     * the task.
     */
    public RunOptions input(Channel channel) {
        return new RunOptions(null, Objects.requireNonNull(channel, "channel"), outputLimit, timeout, grace);
    }

    /**
     * Sets the largest number of bytes of each output stream that the result has. Further output is read and dropped,
     * and the result is marked as truncated. With 0 all output is dropped.
     *
     * @throws IllegalArgumentException for a negative number
     */
    public RunOptions outputLimit(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("limit " + bytes + " is negative");
        }
        return new RunOptions(input, inputChannel, bytes, timeout, grace);
    }

    /**
     * Sets the time from the call after which the helper is sent SIGTERM. The default is none. With zero the timeout
     * expires before the program is executed, or right after that.
     *
     * @throws IllegalArgumentException for a negative duration
     */
    public RunOptions timeout(Duration duration) {
        Duration checked = Timeouts.requireNotNegative(duration, "timeout");
        return new RunOptions(input, inputChannel, outputLimit, checked, grace);
    }

    /**
     * Sets the time between SIGTERM and SIGKILL. The default is {@link #DEFAULT_GRACE}. With zero SIGKILL follows at
     * once.
     *
     * @throws IllegalArgumentException for a negative duration
     */
    public RunOptions grace(Duration duration) {
        Duration checked = Timeouts.requireNotNegative(duration, "grace");
        return new RunOptions(input, inputChannel, outputLimit, timeout, checked);
    }

    byte @Nullable [] input() {
        return input;
    }

    int outputLimit() {
        return outputLimit;
    }

    @Nullable
    Duration timeout() {
        return timeout;
    }

    Duration grace() {
        return grace;
    }

    /** Adds the input, and {@code /dev/null} or a pipe for each of 0, 1 and 2 that the call does not have. */
    Descriptors addTo(Descriptors descriptorsOfCall) {
        Descriptors descriptors = descriptorsOfCall;
        if (inputChannel != null) {
            descriptors = descriptors.inherit(0, inputChannel);
        } else if (input != null) {
            descriptors = descriptors.pipeFromJvm(0);
        } else if (!descriptors.contains(0)) {
            descriptors = descriptors.devNull(0);
        }
        descriptors = descriptors.contains(1) ? descriptors : descriptors.pipeToJvm(1);
        return descriptors.contains(2) ? descriptors : descriptors.pipeToJvm(2);
    }
}
