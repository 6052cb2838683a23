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
 * Helpers each of which reads what the one before it writes: {@code a | b | c}.
 *
 * <pre>{@code
 * try (Pipeline pipeline = Pipeline.start(list, sort, uniq.task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))))) {
 *     String lines = new String(pipeline.last().stdout().readAllBytes());
 *     List<WaitStatus> statuses = pipeline.waitFor();
 * }
 * }</pre>
 *
 * <p>A pipe connects descriptor 1 of each helper to descriptor 0 of the next one. Each of 0, 1 and 2 that has no other
 * source is {@code /dev/null}; all other descriptors come from the calls. The helpers share nothing else: each has its
 * own identity, limits and cgroup.
 */
public final class Pipeline implements AutoCloseable {
    private final List<Helper> helpers;

    private Pipeline(List<Helper> helpers) {
        this.helpers = List.copyOf(helpers);
    }

    /**
     * Starts them from the first to the last. When one can't be started those before it are killed, and those behind it are
     * unused: their cleanup does not run.
     *
     * @throws UmhException if one could not be started; it names that one
     * @throws IllegalArgumentException if there are fewer than two, or one has a source of its own where a pipe has to be
     */
    public static Pipeline start(SubprocessInfo... calls) throws UmhException {
        requirePossible(calls);
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

    /** The pipe that the next one reads. Those that are this one's alone are closed in the JVM, however it goes. */
    private static PipePair startOne(SubprocessInfo call, PipePair before, boolean hasNext, List<Helper> helpers)
            throws UmhException {
        PipePair after = PipePair.none();
        int started = helpers.size();
        try (before) {
            Descriptors own = call.task().descriptors().orElse(Descriptors.none());
            Descriptors descriptors = before.isOpen() ? own.inherit(0, before.reading()) : own;
            if (hasNext) {
                int result = after.open();
                if (result < 0) {
                    call.take();
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

    private static void requirePossible(SubprocessInfo... calls) {
        if (Arguments.nonNull(calls, "calls").length < 2) {
            throw new IllegalArgumentException("a pipeline has two helpers or more, not " + calls.length);
        }
        for (int i = 0; i < calls.length; i++) {
            Descriptors own = calls[i].task().descriptors().orElse(Descriptors.none());
            boolean taken = i > 0 && own.contains(0) || i < calls.length - 1 && own.contains(1);
            if (taken) {
                throw new IllegalArgumentException(
                        "helper " + i + " of the pipeline has a source of its own where its pipe has to be");
            }
        }
    }

    /** All of them, in their order. */
    public List<Helper> helpers() {
        return helpers;
    }

    /** The one whose descriptor 0 is not a pipe of the pipeline. */
    public Helper first() {
        return helpers.get(0);
    }

    /** The one whose descriptor 1 is not a pipe of the pipeline. */
    public Helper last() {
        return helpers.get(helpers.size() - 1);
    }

    /** Waits for all of them: each one's status. */
    public List<WaitStatus> waitFor() throws InterruptedException {
        List<WaitStatus> statuses = new ArrayList<>();
        for (Helper helper : helpers) {
            statuses.add(helper.waitFor());
        }
        return statuses;
    }

    /** Waits for all of them, but not for ever; empty when one was still alive at the end of the timeout. */
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

    /** Closes all of them. */
    @Override
    public void close() {
        helpers.forEach(Helper::close);
    }
}
