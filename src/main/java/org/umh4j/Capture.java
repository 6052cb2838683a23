// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.nio.channels.Channel;
import java.time.Duration;
import java.util.Objects;
import org.umh4j.internal.Nullable;

/**
 * How {@link UsermodeHelper#run} deals with a helper: what it reads, how much of its output is kept, how long it may
 * take. Immutable; each method answers a changed copy.
 *
 * <p>{@link #defaults()}: nothing to read ({@code /dev/null}), up to 1 MiB kept of each stream, no timeout, two seconds
 * between SIGTERM and SIGKILL.
 */
public final class Capture {
    private static final int DEFAULT_LIMIT = 1 << 20;
    private static final Duration DEFAULT_GRACE = Duration.ofSeconds(2);
    private static final Capture DEFAULTS = new Capture(null, null, DEFAULT_LIMIT, null, DEFAULT_GRACE);

    private final @Nullable byte[] input;
    private final @Nullable Channel channel;
    private final int limit;
    private final @Nullable Duration timeout;
    private final Duration grace;

    private Capture(
            @Nullable byte[] input, @Nullable Channel channel, int limit, @Nullable Duration timeout, Duration grace) {
        this.input = input;
        this.channel = channel;
        this.limit = limit;
        this.timeout = timeout;
        this.grace = grace;
    }

    /** Nothing to read, 1 MiB of each stream, no timeout. */
    public static Capture defaults() {
        return DEFAULTS;
    }

    /** The helper reads these bytes at descriptor 0, and then its end. */
    public Capture input(byte[] bytes) {
        return new Capture(Objects.requireNonNull(bytes, "bytes").clone(), null, limit, timeout, grace);
    }

    /** The helper reads this channel of the JDK itself: a file, a socket, a pipe's end; nothing passes through the JVM. */
    public Capture input(Channel source) {
        return new Capture(null, Objects.requireNonNull(source, "source"), limit, timeout, grace);
    }

    /** How many bytes of each stream are kept; what is beyond is read and dropped, and the result says so. */
    public Capture limit(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("limit " + bytes + " is negative");
        }
        return new Capture(input, channel, bytes, timeout, grace);
    }

    /** How long the helper may take; then it gets SIGTERM. */
    public Capture timeout(Duration duration) {
        return new Capture(input, channel, limit, notNegative(duration, "timeout"), grace);
    }

    /** How long after SIGTERM it gets SIGKILL. */
    public Capture grace(Duration duration) {
        return new Capture(input, channel, limit, timeout, notNegative(duration, "grace"));
    }

    private static Duration notNegative(Duration duration, String what) {
        if (Objects.requireNonNull(duration, what).isNegative()) {
            throw new IllegalArgumentException(what + " " + duration + " is negative");
        }
        return duration;
    }

    @Nullable byte[] input() {
        return input;
    }

    int limit() {
        return limit;
    }

    @Nullable Duration timeout() {
        return timeout;
    }

    Duration grace() {
        return grace;
    }

    /** The helper's own descriptors, with what is missing of the first three filled in. */
    Files files(Files own) {
        Files files = own;
        if (channel != null) {
            files = files.inherit(0, channel);
        } else if (input != null) {
            files = files.fromJvm(0);
        } else if (files.isEmpty(0)) {
            files = files.devNull(0);
        }
        files = files.isEmpty(1) ? files.toJvm(1) : files;
        return files.isEmpty(2) ? files.toJvm(2) : files;
    }
}
