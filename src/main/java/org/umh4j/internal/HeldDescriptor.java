// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A descriptor that is closed even when its holder was dropped without closing it.
 *
 * <p>A thread for that would cost more than such descriptors do: they are closed when the next one is held, and when the
 * reaper wakes. So there are never more of them than were dropped since the last collection.
 */
final class HeldDescriptor extends PhantomReference<Object> {
    private static final ReferenceQueue<Object> DROPPED = new ReferenceQueue<>();
    private static final Set<HeldDescriptor> HELD = ConcurrentHashMap.newKeySet();

    private final int fd;
    /** The identity of the file: other code may close it, and open another file at its number. */
    private final long identity;

    private HeldDescriptor(Object holder, int fd) {
        super(holder, DROPPED);
        this.fd = fd;
        identity = Native.fileIdentity(fd);
    }

    /** From now on the descriptor is closed by {@link #close}, or when nobody has the holder any more. */
    static HeldDescriptor of(Object holder, int fd) {
        closeDropped();
        HeldDescriptor held = new HeldDescriptor(holder, fd);
        HELD.add(held);
        return held;
    }

    long identity() {
        return identity;
    }

    /** Whether the number still refers to the same file. */
    boolean isOwn() {
        return Native.isSameFile(fd, identity) == 1;
    }

    /** Closes it, once. If the number refers to another file by now, it is left alone. */
    void close() {
        if (HELD.remove(this)) {
            Native.closeIfSame(fd, identity);
        }
    }

    static void closeDropped() {
        for (Reference<?> dropped = DROPPED.poll(); dropped != null; dropped = DROPPED.poll()) {
            ((HeldDescriptor) dropped).close();
        }
    }
}
