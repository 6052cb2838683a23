// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

/**
 * How C starts a program and waits for it, in this JVM; {@code peers.c}. Arguments come as strings with a NUL each, the
 * first one is the path; results are wait statuses or negative errnos.
 */
final class Peers {
    static {
        System.load(System.getProperty("bench.peers"));
    }

    private Peers() {}

    static native int posixSpawn(byte[] strings);

    static native int vforkExec(byte[] strings);

    static native int forkExec(byte[] strings);
}
