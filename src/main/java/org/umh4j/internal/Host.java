// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** Properties of the running kernel and of the calling thread. */
public final class Host {
    /** One bit for each capability of the running kernel; 0 until it is known. */
    private static long capabilities;

    private Host() {}

    /** Returns one bit for each capability of the running kernel. */
    public static long capabilities() {
        long known = capabilities;
        if (known == 0) {
            NativeLibrary.require();
            known = -1L >>> (Long.SIZE - 1 - Native.lastCapability());
            capabilities = known;
        }
        return known;
    }

    /** Returns the calling thread's effective capabilities. */
    public static long effective() {
        NativeLibrary.require();
        return Native.effectiveSet();
    }

    /** Returns the calling thread's bounding set. */
    public static long bounding() {
        NativeLibrary.require();
        return Native.boundingSet();
    }

    /** Returns the calling thread's effective uid. */
    public static long uid() {
        NativeLibrary.require();
        return Integer.toUnsignedLong(Native.uid());
    }

    /** Returns the calling thread's effective gid. */
    public static long gid() {
        NativeLibrary.require();
        return Integer.toUnsignedLong(Native.gid());
    }

    /** Returns whether the calling thread has no_new_privs, which its children inherit. */
    public static boolean noNewPrivs() {
        NativeLibrary.require();
        return Native.noNewPrivs() == 1;
    }

    /** Returns the kernel's landlock ABI, or a negative errno. */
    public static int landlockAbi() {
        NativeLibrary.require();
        return Native.landlockAbi();
    }
}
