// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

/** How C starts a program and waits for it, in this JVM; {@code peers.c}. */
final class Peers {
    static {
        System.load(System.getProperty("bench.peers"));
    }

    private Peers() {}

    static native int posixSpawn(byte[] path);

    static native int vforkExec(byte[] path);
}
