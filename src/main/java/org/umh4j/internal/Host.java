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

    /** The calling thread's effective uid, as an unsigned number. */
    public static long uid() {
        return Integer.toUnsignedLong(Native.uid());
    }

    /** The calling thread's effective gid, as an unsigned number. */
    public static long gid() {
        return Integer.toUnsignedLong(Native.gid());
    }

    /** Whether the calling thread, and so every child of it, can gain no privilege. */
    public static boolean noNewPrivs() {
        return Native.noNewPrivs() == 1;
    }

    /** The kernel's landlock ABI, or a negative errno. */
    public static int landlockAbi() {
        return Native.landlockAbi();
    }
}
