// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.List;

/** Native code in the JVM whose forks keep copies of plan sockets and use them: {@code copies.c}. */
public final class Copies {
    public static final List<String> WHATS = List.of("plans", "words", "other messages", "taken");

    static {
        System.load(NativeProgram.library("copies").toString());
    }

    private Copies() {}

    /** A process of this user that attacks until {@link #end}; the pid is that of a helper that it has a pidfd of. */
    public static native int fork(int uid, int pid, boolean takes, String program);

    /** The status, or -1 if other code has reaped the process. */
    public static native int end(int pid);

    /** How often each of {@link #WHATS} was tried, or done. */
    public static native long count(int what, boolean done);

    /** Loads the library. */
    public static void load() {}
}
