// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Host;
import org.umh4j.linux.CapabilitySet;

/**
 * The ids and capabilities of the JVM, which limit those of its helpers.
 *
 * <p>Linux keeps them for each thread. Each method returns those of the calling thread, which differ from those of the
 * other threads only if native code has changed them.
 *
 * @implSpec {@code capget(2)}, {@code PR_CAPBSET_READ}, {@code geteuid(2)}, {@code getegid(2)}
 */
public final class JvmPrivileges {
    private JvmPrivileges() {}

    /** Returns the effective capabilities. */
    public static CapabilitySet effective() {
        return new CapabilitySet(Host.effective());
    }

    /** Returns the bounding set. A helper can't have a capability that is missing here. */
    public static CapabilitySet bounding() {
        return new CapabilitySet(Host.bounding());
    }

    /** Returns the effective uid. */
    public static long uid() {
        return Host.uid();
    }

    /** Returns the effective gid. */
    public static long gid() {
        return Host.gid();
    }
}
