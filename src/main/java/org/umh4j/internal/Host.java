// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** What the kernel has, and what it lets this process do. */
public final class Host {
    private static final int LAST_CAPABILITY = Native.lastCapability();

    private Host() {}

    /** One bit for each capability of the running kernel. */
    public static long capabilities() {
        return -1L >>> (Long.SIZE - 1 - LAST_CAPABILITY);
    }

    /** The calling thread's effective capabilities. */
    public static long effective() {
        return Native.effective();
    }

    /** The calling thread's bounding set. */
    public static long bounding() {
        return Native.bounding();
    }

    /** Which of the newer system calls the launch path uses. */
    public static int features() {
        return Native.features();
    }
}
