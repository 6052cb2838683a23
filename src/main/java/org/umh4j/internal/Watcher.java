// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** Who is told by the {@link Reaper} that something has happened to its descriptor. */
interface Watcher {
    /** Called in the reaper's thread: must not block and must not run code of the user's. */
    void happened(int event);

    /**
     * Called in the same thread now and then, and must not block either. Checks whether other code has closed its
     * descriptor, which no event reports.
     *
     * @param unwatched whether nothing is watched any more, so that the descriptor must be armed again
     */
    void check(boolean unwatched);

    /**
     * Called in the same thread every few milliseconds, after {@link Reaper#lookAfter}: does the work that no event
     * reports. Returns whether to call it again.
     */
    default boolean lookAfter() {
        return false;
    }
}
