// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.nio.channels.Channel;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Descriptors;

/**
 * How {@link UsermodeHelper#run} deals with a helper: what it reads, how much of its output is kept, how long it may
 * take. Immutable; each method answers a changed copy.
 *
 * <p>{@link #defaults()}: nothing to read ({@code /dev/null}), up to 1 MiB kept of each stream, no timeout, two seconds
 * between SIGTERM and SIGKILL.
 */
public final class RunOptions {
    /** The time between SIGTERM and SIGKILL unless {@link #grace} sets another one. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(2);

    private static final int DEFAULT_LIMIT = 1 << 20;
    private static final RunOptions DEFAULTS = new RunOptions(null, null, DEFAULT_LIMIT, null, DEFAULT_GRACE);

    private final byte @Nullable [] input;
    private final @Nullable Channel channel;
    private final int limit;
    private final @Nullable Duration timeout;
    private final Duration grace;

    private RunOptions(
            byte @Nullable [] input, @Nullable Channel channel, int limit, @Nullable Duration timeout, Duration grace) {
        this.input = input;
        this.channel = channel;
        this.limit = limit;
        this.timeout = timeout;
        this.grace = grace;
    }

    /** Nothing to read, 1 MiB of each stream, no timeout. */
    public static RunOptions defaults() {
        return DEFAULTS;
    }

    /** The helper reads these bytes at descriptor 0, and then its end. */
    public RunOptions input(byte[] bytes) {
        return new RunOptions(Objects.requireNonNull(bytes, "bytes").clone(), null, limit, timeout, grace);
    }

    /** The helper reads this channel of the JDK itself: a file, a socket, a pipe's end; nothing passes through the JVM. */
    public RunOptions input(Channel source) {
        return new RunOptions(null, Objects.requireNonNull(source, "source"), limit, timeout, grace);
    }

    /** How many bytes of each stream are kept; what is beyond is read and dropped, and the result says so. */
    public RunOptions limit(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("limit " + bytes + " is negative");
        }
        return new RunOptions(input, channel, bytes, timeout, grace);
    }

    /** How long the helper may take; then it gets SIGTERM. */
    public RunOptions timeout(Duration duration) {
        return new RunOptions(input, channel, limit, notNegative(duration, "timeout"), grace);
    }

    /** How long after SIGTERM it gets SIGKILL. */
    public RunOptions grace(Duration duration) {
        return new RunOptions(input, channel, limit, timeout, notNegative(duration, "grace"));
    }

    private static Duration notNegative(Duration duration, String what) {
        if (Objects.requireNonNull(duration, what).isNegative()) {
            throw new IllegalArgumentException(what + " " + duration + " is negative");
        }
        return duration;
    }

    byte @Nullable [] input() {
        return input;
    }

    int limit() {
        return limit;
    }

    @Nullable
    Duration timeout() {
        return timeout;
    }

    Duration grace() {
        return grace;
    }

    /** The helper's own descriptors, with what is missing of the first three filled in. */
    Descriptors descriptors(Descriptors own) {
        Descriptors descriptors = own;
        if (channel != null) {
            descriptors = descriptors.inherit(0, channel);
        } else if (input != null) {
            descriptors = descriptors.pipeFromJvm(0);
        } else if (!descriptors.contains(0)) {
            descriptors = descriptors.devNull(0);
        }
        descriptors = descriptors.contains(1) ? descriptors : descriptors.pipeToJvm(1);
        return descriptors.contains(2) ? descriptors : descriptors.pipeToJvm(2);
    }
}
