// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/**
 * A listener that is notified of the helpers of this JVM: for metrics and logs.
 *
 * <pre>{@code
 * UsermodeHelper.addListener(new HelperListener() {
 *     public void exited(String path, long pid, WaitStatus status, Duration lifetime) {
 *         registry.timer("helper.lifetime", "path", path).record(lifetime);
 *     }
 * });
 * }</pre>
 *
 * <p>{@link UsermodeHelper#addListener} adds a listener. From then on it is notified of every helper, drivers included,
 * whichever method starts it: either of {@link #started} once and later of {@link #exited} once, or of {@link #failed}
 * once. So the number of running helpers is the number of starts minus the number of exits.
 *
 * <p>One thread of the library at a time calls a listener, so it needs no lock. While it blocks it occupies that
 * thread, and its later notifications wait in memory; other callbacks are not delayed. An exception that it throws is
 * logged, and the next notification follows. Without a listener notifications cost nothing. With one, a call that
 * waits for the helper's end needs the reaper's thread, and fails with {@code EAGAIN} if no thread can be created.
 */
public interface HelperListener {
    /**
     * Called when {@code execve} of a helper has succeeded.
     *
     * @param path the program, or the driver's name
     * @param pid its process id
     * @param launchTime the time from the start of the launch until {@code execve} has succeeded
     */
    default void started(String path, long pid, Duration launchTime) {}

    /**
     * Called right after {@link #started} if the host refused steps that were not required; see
     * {@link org.umh4j.task.Task#allowUnapplied}.
     *
     * @param path the program, or the driver's name
     * @param pid its process id
     * @param stages the stages that were not applied; at least one
     */
    default void unapplied(String path, long pid, Set<UmhStage> stages) {}

    /**
     * Called when a helper could not be started, or a driver's program could not be loaded.
     *
     * @param path the program, or the driver's name; null if the call had none
     * @param failure the stage and the errno
     */
    default void failed(@Nullable String path, UmhException failure) {}

    /**
     * Called when a helper has ended and was reaped.
     *
     * @param path the program, or the driver's name
     * @param pid its former process id, which may belong to another process by now
     * @param status how it ended
     * @param lifetime the time since its launch began
     */
    default void exited(String path, long pid, WaitStatus status, Duration lifetime) {}
}
