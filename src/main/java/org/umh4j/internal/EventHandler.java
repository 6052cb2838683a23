// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** Handles the events of a descriptor that the {@link Reaper} watches. */
interface EventHandler {
    /** Called in the reaper's thread at an event. Must not block or run a user's code. */
    void onEvent(int event);

    /**
     * Called in the reaper's thread from time to time. Must not block either. Checks whether other code has closed the
     * descriptor, which causes no event.
     *
     * @param isNewEpoll whether the epoll descriptor is new and watches nothing, so that the descriptor must be armed
     *     again
     */
    void check(boolean isNewEpoll);

    /**
     * Called in the reaper's thread every few milliseconds after {@link Reaper#startPolling}. Does the work for which
     * there
     * is no event. Returns whether it must be called again.
     */
    default boolean poll() {
        return false;
    }
}
