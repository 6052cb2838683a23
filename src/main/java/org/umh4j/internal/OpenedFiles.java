// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Arrays;

/** Descriptors that are open in this JVM for the length of one launch. */
public final class OpenedFiles implements AutoCloseable {
    private int[] fds = new int[4];
    private int count;

    /** Opens a file; its descriptor, or a negative errno. */
    public int open(byte[] path, int flags, int mode) {
        int fd = Native.open(Arrays.copyOf(path, path.length + 1), flags, mode);
        if (fd >= 0) {
            fds = count < fds.length ? fds : Arrays.copyOf(fds, 2 * count);
            fds[count++] = fd;
        }
        return fd;
    }

    @Override
    public void close() {
        while (count > 0) {
            Native.close(fds[--count]);
        }
    }
}
