// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** Who is told by the {@link Reaper} that something has happened to its descriptor. */
interface Watcher {
    /** Called in the reaper's thread: must not block and must not run code of the user's. */
    void happened(int event);

    /**
     * Called in the same thread now and then, and must not block either: looks whether its descriptor is still its own, or
     * was closed by others, which no event tells.
     *
     * @param unwatched whether nothing is watched any more, and has to be armed again
     */
    void check(boolean unwatched);
}
