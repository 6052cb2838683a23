// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/**
 * Is told of the helpers of this JVM: for metrics and logs.
 *
 * <p>{@link UsermodeHelper#addListener} adds one. It is told of each helper that is started from then on, by whatever way,
 * drivers among them: once that it was {@link #started}, and after that once that it has {@link #exited}; or once that it
 * {@link #failed}. So the helpers that were started and have not exited are those that run.
 *
 * <p>A listener is called by one thread of the library at a time, so it needs no lock. While it blocks it occupies that
 * thread, and later notifications wait in memory; other callbacks are not delayed. An exception that it throws is
 * logged, and the next notification follows. Notifications cost nothing without a listener. With one, a call that waits
 * for the end needs the reaper's thread, and fails with {@code EAGAIN} if no thread can be created.
 *
 * <pre>{@code
 * UsermodeHelper.addListener(new HelperListener() {
 *     public void exited(String path, long pid, WaitStatus status, Duration lifetime) {
 *         registry.timer("helper.lifetime", "path", path).record(lifetime);
 *     }
 * });
 * }</pre>
 */
public interface HelperListener {
    /**
     * A helper's program is in place.
     *
     * @param path the program, or the driver's name
     * @param pid its process id
     * @param launch how long it took to make the process and to have its program in place
     */
    default void started(String path, long pid, Duration launch) {}

    /**
     * A helper was started without some of its attributes, because the host refused steps that were not required.
     * Called right after {@link #started}.
     *
     * @param path the program, or the driver's name
     * @param pid its process id
     * @param stages the stages that were not applied, so that the helper has the JVM's attribute; at least one
     */
    default void unapplied(String path, long pid, Set<UmhStage> stages) {}

    /**
     * A helper could not be started, or a driver's program not be loaded.
     *
     * @param path the program, or the driver's name; null when the call had none
     * @param failure the stage and the errno
     */
    default void failed(@Nullable String path, UmhException failure) {}

    /**
     * A helper has ended and was reaped.
     *
     * @param path the program, or the driver's name
     * @param pid its process id, which may be another process's by now
     * @param status how it ended
     * @param lifetime the time since its launch began
     */
    default void exited(String path, long pid, WaitStatus status, Duration lifetime) {}
}
