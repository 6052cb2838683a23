// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** What the kernel has, and what it lets this process do. */
public final class Host {
    /** One bit for each; 0 until it is known. */
    private static long capabilities;

    private Host() {}

    /** One bit for each capability of the running kernel. */
    public static long capabilities() {
        long known = capabilities;
        if (known == 0) {
            NativeLibrary.require();
            known = -1L >>> (Long.SIZE - 1 - Native.lastCapability());
            capabilities = known;
        }
        return known;
    }

    /** The calling thread's effective capabilities. */
    public static long effective() {
        NativeLibrary.require();
        return Native.effectiveSet();
    }

    /** The calling thread's bounding set. */
    public static long bounding() {
        NativeLibrary.require();
        return Native.boundingSet();
    }

    /** The calling thread's effective uid, as an unsigned number. */
    public static long uid() {
        NativeLibrary.require();
        return Integer.toUnsignedLong(Native.uid());
    }

    /** The calling thread's effective gid, as an unsigned number. */
    public static long gid() {
        NativeLibrary.require();
        return Integer.toUnsignedLong(Native.gid());
    }

    /** Whether the calling thread, and so every child of it, can gain no privilege. */
    public static boolean noNewPrivs() {
        NativeLibrary.require();
        return Native.noNewPrivs() == 1;
    }

    /** The kernel's landlock ABI, or a negative errno. */
    public static int landlockAbi() {
        NativeLibrary.require();
        return Native.landlockAbi();
    }
}
