// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.PipePair;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;

/**
 * Helpers that are connected by pipes, as in the shell's {@code a | b | c}.
 *
 * <pre>{@code
 * Task output = Task.defaults().descriptors(Descriptors.none().pipeToJvm(1));
 * try (Pipeline pipeline = Pipeline.start(list, sort, uniq.task(output))) {
 *     String lines = new String(pipeline.last().stdout().readAllBytes());
 *     List<WaitStatus> statuses = pipeline.waitFor();
 * }
 * }</pre>
 *
 * <p>A pipe connects descriptor 1 of each helper to descriptor 0 of the next one. All other descriptors come from the
 * task of each call; a descriptor 0, 1 or 2 that it lacks is {@code /dev/null}. The helpers share nothing else:
 * identity, limits and cgroup come from the task of each call too.
 */
public final class Pipeline implements AutoCloseable {
    private final List<Helper> helpers;

    private Pipeline(List<Helper> helpers) {
        this.helpers = List.copyOf(helpers);
    }

    /**
     * Starts the helpers from the first to the last. If one can't be started, the helpers before it are killed. The
     * calls after it stay unused: their cleanup functions do not run.
     *
     * @throws UmhException if a helper could not be started; the message names its program
     * @throws IllegalArgumentException if there are fewer than two calls, or the task of a call has a descriptor
     *     where the pipeline needs its pipe
     */
    public static Pipeline start(SubprocessInfo... calls) throws UmhException {
        requireRoomForPipes(calls);
        List<Helper> helpers = new ArrayList<>();
        PipePair before = PipePair.none();
        try {
            for (int i = 0; i < calls.length; i++) {
                before = startOne(calls[i], before, i < calls.length - 1, helpers);
            }
            return new Pipeline(helpers);
        } finally {
            before.close();
            if (helpers.size() < calls.length) {
                helpers.forEach(Helper::close);
            }
        }
    }

    /**
     * Starts one helper and returns the pipe to the next one. The JVM's copies of the descriptors that this helper
     * uses are closed, also after a failure.
     */
    private static PipePair startOne(SubprocessInfo call, PipePair before, boolean hasNext, List<Helper> helpers)
            throws UmhException {
        PipePair after = PipePair.none();
        int started = helpers.size();
        try (before) {
            Descriptors ofCall = call.task().descriptors().orElse(Descriptors.none());
            Descriptors descriptors = before.isOpen() ? ofCall.inherit(0, before.reading()) : ofCall;
            if (hasNext) {
                int result = after.open();
                if (result < 0) {
                    call.begin();
                    UmhException failure = CallFailure.of(call, UmhStage.SOURCE, result, 1);
                    call.release(result);
                    throw failure;
                }
                descriptors = descriptors.inherit(1, after.writing());
            }
            helpers.add(UsermodeHelper.start(call.task(call.task().descriptors(descriptors.orDevNull()))));
        } finally {
            after.closeWriting();
            if (helpers.size() == started) {
                after.close();
            }
        }
        return after;
    }

    private static void requireRoomForPipes(SubprocessInfo... calls) {
        if (Arguments.nonNull(calls, "calls").length < 2) {
            throw new IllegalArgumentException("a pipeline needs at least two helpers, not " + calls.length);
        }
        for (int i = 0; i < calls.length; i++) {
            Descriptors ofCall = calls[i].task().descriptors().orElse(Descriptors.none());
            int conflict = i > 0 && ofCall.contains(0) ? 0 : i < calls.length - 1 && ofCall.contains(1) ? 1 : -1;
            if (conflict >= 0) {
                throw new IllegalArgumentException("the task of helper " + i + " has a descriptor " + conflict
                        + ", which must be a pipe of the pipeline");
            }
        }
    }

    /** Returns the helpers in their order. */
    public List<Helper> helpers() {
        return helpers;
    }

    /** Returns the first helper. Its descriptor 0 comes from its task. */
    public Helper first() {
        return helpers.get(0);
    }

    /** Returns the last helper. Its descriptor 1 comes from its task. */
    public Helper last() {
        return helpers.get(helpers.size() - 1);
    }

    /**
     * Waits for the end of all helpers.
     *
     * @return the exit statuses in the order of the helpers
     */
    public List<WaitStatus> waitFor() throws InterruptedException {
        List<WaitStatus> statuses = new ArrayList<>();
        for (Helper helper : helpers) {
            statuses.add(helper.waitFor());
        }
        return statuses;
    }

    /**
     * Waits up to {@code timeout} for the end of all helpers.
     *
     * @return the exit statuses in the order of the helpers; empty if a helper is still alive when the timeout expires
     */
    public Optional<List<WaitStatus>> waitFor(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + Timeouts.saturatedNanos(timeout);
        List<WaitStatus> statuses = new ArrayList<>();
        for (Helper helper : helpers) {
            Optional<WaitStatus> status = helper.waitFor(Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0)));
            if (status.isEmpty()) {
                return Optional.empty();
            }
            statuses.add(status.get());
        }
        return Optional.of(statuses);
    }

    /** Closes all helpers, as {@link Helper#close} does. */
    @Override
    public void close() {
        helpers.forEach(Helper::close);
    }
}
