// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/** A pipe between two helpers, which the JVM holds until both are started. */
public final class PipePair implements AutoCloseable {
    private static final int CLOSED = -1;

    private final int[] ends;
    /** The identities of the two files, since other code may close them between two starts. */
    private final long[] identities = new long[2];

    private PipePair(int[] ends) {
        this.ends = ends;
    }

    /** Returns a pair without a pipe, for the input of the first helper and the output of the last. */
    public static PipePair none() {
        return new PipePair(new int[] {CLOSED, CLOSED});
    }

    /** Creates the pipe. Returns 0 or a negative errno. */
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

    /** Returns the descriptor for reading, or -1 if it is closed. */
    public int reading() {
        return openEnd(0);
    }

    /** Returns the descriptor for writing, or -1 if it is closed. */
    public int writing() {
        return openEnd(1);
    }

    private int openEnd(int end) {
        return Native.isSameFile(ends[end], identities[end]) == 1 ? ends[end] : CLOSED;
    }

    /** Closes the writing end after the writer has been started. */
    public void closeWriting() {
        close(1);
    }

    /** Closes both ends after the reader has been started, or if it will not be started. */
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
