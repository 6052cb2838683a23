// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A descriptor with an owner. It is closed by {@link #close}, or after the owner has become unreachable.
 *
 * <p>No thread waits for unreachable owners. Their descriptors are closed when the next descriptor gets an owner, and
 * when the reaper wakes.
 */
final class OwnedDescriptor extends PhantomReference<Object> {
    private static final ReferenceQueue<Object> UNREACHABLE = new ReferenceQueue<>();
    private static final Set<OwnedDescriptor> OPEN = ConcurrentHashMap.newKeySet();

    private final int fd;
    /** The identity of the file, since other code may close the descriptor and open another file with its number. */
    private final long identity;

    private OwnedDescriptor(Object owner, int fd) {
        super(owner, UNREACHABLE);
        this.fd = fd;
        identity = Native.fileIdentity(fd);
    }

    /** Gives a descriptor to an owner. */
    static OwnedDescriptor of(Object owner, int fd) {
        closeUnreachable();
        OwnedDescriptor owned = new OwnedDescriptor(owner, fd);
        OPEN.add(owned);
        return owned;
    }

    long identity() {
        return identity;
    }

    /** Returns whether the number still refers to the same file. */
    boolean isSameFile() {
        return Native.isSameFile(fd, identity) == 1;
    }

    /** Closes the descriptor, once. If the number refers to another file by now, that file stays open. */
    void close() {
        if (OPEN.remove(this)) {
            Native.closeIfSame(fd, identity);
        }
    }

    /** Closes the descriptors of unreachable owners. */
    static void closeUnreachable() {
        for (Reference<?> unreachable = UNREACHABLE.poll(); unreachable != null; unreachable = UNREACHABLE.poll()) {
            ((OwnedDescriptor) unreachable).close();
        }
    }
}
