// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

/** Native code in the JVM that reaps children of other code: {@code thief.c}. */
public final class Thief {
    static {
        System.load(NativeProgram.library("thief").toString());
    }

    private Thief() {}

    /** Waits for any child, and takes its status: its pid or a negative errno. */
    public static native int takeAny();

    /** Ignores SIGCHLD. A JVM that was started so may have changed that again: 25 does. */
    public static native void ignoreChildren();
}
