// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.Set;
import org.umh4j.internal.Nullable;

/**
 * Is told of the helpers of this JVM: for metrics and logs.
 *
 * <p>{@link UsermodeHelper#addListener} adds one. It is told of each helper that is started from then on, by whatever way,
 * drivers among them: once that it was {@link #started}, and after that once that it has {@link #exited}; or once that it
 * {@link #failed}. So the helpers that were started and have not exited are those that run.
 *
 * <p>One call after the other, in a thread of the library: a listener needs no lock. One that blocks costs a thread as long
 * as that lasts, and holds up nobody else: what it is still to be told waits in memory. What it throws is logged, and it is
 * told of the next. Without a listener nothing is done; with one a call that waits for the end takes part in the reaper's
 * work, and fails with {@code EAGAIN} where no thread can be made for that.
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
     * A helper was started without some of what it was to have: the host has refused it, and the call could do without. Told
     * right after {@link #started}.
     *
     * @param path the program, or the driver's name
     * @param pid its process id
     * @param stages whose attributes are as the JVM has them; at least one
     */
    default void kept(String path, long pid, Set<UmhStage> stages) {}

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
