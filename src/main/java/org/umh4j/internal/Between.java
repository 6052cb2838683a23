// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.UncheckedIOException;

/** A pipe between two helpers, as long as the JVM has to hold it. */
public final class Between {
    private static final int CLOSED = -1;

    private final int[] ends;

    private Between(int[] ends) {
        this.ends = ends;
    }

    /** A new one. */
    public static Between make() {
        int[] ends = new int[2];
        int result = Native.pipe(ends);
        if (result < 0) {
            throw new UncheckedIOException(new java.io.IOException("no pipe: errno " + -result));
        }
        return new Between(ends);
    }

    public int reading() {
        return ends[0];
    }

    public int writing() {
        return ends[1];
    }

    /** When its writer has been started. */
    public void closeWriting() {
        close(1);
    }

    /** When its reader has been started too, or never will be. */
    public void close() {
        close(0);
        close(1);
    }

    private void close(int end) {
        if (ends[end] != CLOSED) {
            Native.close(ends[end]);
            ends[end] = CLOSED;
        }
    }
}
