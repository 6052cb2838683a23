// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** A pipe between two helpers, as long as the JVM has to hold it. */
public final class PipePair implements AutoCloseable {
    private static final int CLOSED = -1;

    private final int[] ends;
    /** The identity of these files: other code may close them between two starts. */
    private final long[] identities = new long[2];

    private PipePair(int[] ends) {
        this.ends = ends;
    }

    /** None: before the first helper and after the last. */
    public static PipePair none() {
        return new PipePair(new int[] {CLOSED, CLOSED});
    }

    /** Becomes a pipe: 0, or a negative errno. */
    public int open() {
        NativeLibrary.require();
        int result = Native.pipe(ends);
        if (result == 0) {
            identities[0] = Native.fileIdentity(ends[0]);
            identities[1] = Native.fileIdentity(ends[1]);
        }
        return result;
    }

    public boolean isOpen() {
        return ends[0] != CLOSED;
    }

    public int reading() {
        return own(0);
    }

    public int writing() {
        return own(1);
    }

    private int own(int end) {
        return Native.isSameFile(ends[end], identities[end]) == 1 ? ends[end] : CLOSED;
    }

    /** When its writer has been started. */
    public void closeWriting() {
        close(1);
    }

    /** When its reader has been started too, or never will be. */
    @Override
    public void close() {
        close(0);
        close(1);
    }

    private void close(int end) {
        if (ends[end] != CLOSED) {
            Native.closeIfSame(ends[end], identities[end]);
            ends[end] = CLOSED;
        }
    }
}
