// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

/** {@code pipes.c}: two C processes over two pipes; nanoseconds, or -1. */
final class Pipes {
    static {
        System.load(System.getProperty("bench.peers"));
    }

    private Pipes() {}

    static native long through(byte[] path, long bytes, int chunk);

    static native long pingPong(byte[] path, int times, int size);
}
