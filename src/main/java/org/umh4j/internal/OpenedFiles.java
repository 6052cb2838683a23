// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Descriptors that are open in this JVM for the length of one launch. */
public final class OpenedFiles implements AutoCloseable {
    private static final int O_PATH = 010000000;

    private static final byte[] NULL_DEVICE = "/dev/null\0".getBytes(StandardCharsets.US_ASCII);

    private final StartDeadline patience;
    private int[] fds = new int[4];
    /**
     * The identity of these files: a launch may last until its helper's end, and other code may close them meanwhile.
     */
    private long[] identities = new long[4];

    private int count;

    /** For a caller that waits without a limit. */
    public OpenedFiles() {
        this(StartDeadline.endless());
    }

    /** For a caller with this limit. */
    public OpenedFiles(StartDeadline patience) {
        NativeLibrary.require();
        this.patience = patience;
    }

    /**
     * Opens a file. Returns its descriptor, or a negative errno: {@code -ENXIO} for a FIFO without an open peer. A
     * terminal does not become the JVM's controlling terminal.
     */
    public int open(byte[] path, int flags, int mode) {
        byte[] terminated = terminated(path);
        if (Arrays.equals(terminated, NULL_DEVICE)) {
            return add(Native.open(terminated, flags, mode));
        }
        return add(OpenerThread.open(() -> Native.open(terminated, flags, mode), patience));
    }

    /** Opens a place in the file system, without the right to read it. */
    public int openPath(byte[] path) {
        return open(path, O_PATH, 0);
    }

    /** The same below a root: neither {@code ..} nor a link leads out of it. */
    public int openPathBelow(byte[] root, byte[] path) {
        return add(Native.openBelow(terminated(root), terminated(path)));
    }

    /** Whether an open descriptor refers to a directory. */
    public static boolean isDirectory(int fd) {
        return Native.isDirectory(fd) == 1;
    }

    /** Opens the folder of a cgroup of the second version; {@code -EINVAL} for another folder. */
    public int openCgroup(byte[] path) {
        byte[] terminated = terminated(path);
        return add(OpenerThread.open(() -> Native.openCgroup(terminated), patience));
    }

    /** A descriptor of the caller's that is the folder of a cgroup; it stays open. */
    public int requireCgroup(int fd) {
        int result = Native.checkCgroup(fd);
        return result < 0 ? result : fd;
    }

    /** A pidfd of any process. */
    public int openPid(int pid) {
        return add(Native.pidfdOpen(pid));
    }

    /** Makes a pipe; both ends are closed with the others unless the JVM's is taken by {@link #keep}. 0, or an errno. */
    public int openPipe(int[] ends) {
        int result = Native.pipe(ends);
        if (result == 0) {
            add(ends[0]);
            add(ends[1]);
        }
        return result;
    }

    /** Takes a descriptor out: it will not be closed with the others. */
    void keep(int fd) {
        for (int i = 0; i < count; i++) {
            if (fds[i] == fd) {
                fds[i] = fds[--count];
                identities[i] = identities[count];
                return;
            }
        }
    }

    /** The number of a descriptor of the JDK's, which stays open: a stream's FileDescriptor, or a channel. */
    public static int descriptorOf(Object holder) {
        NativeLibrary.require();
        return Native.descriptor(holder);
    }

    private static byte[] terminated(byte[] path) {
        return Arrays.copyOf(path, path.length + 1);
    }

    /** Whether one of these descriptors still refers to the file that was opened. */
    boolean isOwn(int fd) {
        for (int i = 0; i < count; i++) {
            if (fds[i] == fd) {
                return Native.isSameFile(fd, identities[i]) == 1;
            }
        }
        return false;
    }

    private int add(int fd) {
        if (fd >= 0) {
            if (count == fds.length) {
                fds = Arrays.copyOf(fds, 2 * count);
                identities = Arrays.copyOf(identities, 2 * count);
            }
            identities[count] = Native.fileIdentity(fd);
            fds[count++] = fd;
        }
        return fd;
    }

    @Override
    public void close() {
        while (count > 0) {
            count--;
            Native.closeIfSame(fds[count], identities[count]);
        }
    }
}
