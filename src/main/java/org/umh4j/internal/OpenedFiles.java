// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The descriptors that the JVM opens for one launch. {@link #close} closes them. */
public final class OpenedFiles implements AutoCloseable {
    private static final int O_PATH = 010000000;

    private static final byte[] NULL_DEVICE = "/dev/null\0".getBytes(StandardCharsets.US_ASCII);

    private final StartDeadline deadline;
    private int[] fds = new int[4];
    /**
     * The identities of the files. A launch may last until its helper's end, and other code may close descriptors
     * meanwhile.
     */
    private long[] identities = new long[4];

    private int count;

    /** Creates an empty set for a caller without a limit. */
    public OpenedFiles() {
        this(StartDeadline.endless());
    }

    /** Creates an empty set for a caller with this limit. */
    public OpenedFiles(StartDeadline deadline) {
        NativeLibrary.require();
        this.deadline = deadline;
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
        return add(OpenerThread.open(() -> Native.open(terminated, flags, mode), deadline));
    }

    /** Opens a path with O_PATH: the descriptor names a file, but can't read it. */
    public int openPath(byte[] path) {
        return open(path, O_PATH, 0);
    }

    /** Opens a path with O_PATH below a root. Neither {@code ..} nor a link leads out of the root. */
    public int openPathBelow(byte[] root, byte[] path) {
        return add(Native.openBelow(terminated(root), terminated(path)));
    }

    /** Returns whether a descriptor refers to a directory. */
    public static boolean isDirectory(int fd) {
        return Native.isDirectory(fd) == 1;
    }

    /** Opens the directory of a cgroup of version 2. Returns {@code -EINVAL} for another directory. */
    public int openCgroup(byte[] path) {
        byte[] terminated = terminated(path);
        return add(OpenerThread.open(() -> Native.openCgroup(terminated), deadline));
    }

    /** Checks that a caller's descriptor refers to the directory of a cgroup. Returns it, or a negative errno. */
    public int requireCgroup(int fd) {
        int result = Native.checkCgroup(fd);
        return result < 0 ? result : fd;
    }

    /** Opens a pidfd of any process. Returns a negative errno on failure. */
    public int openPid(int pid) {
        return add(Native.pidfdOpen(pid));
    }

    /** Creates a pipe. Returns 0 or a negative errno. An end stays open after the launch if {@link #keep} is called. */
    public int openPipe(int[] ends) {
        int result = Native.pipe(ends);
        if (result == 0) {
            add(ends[0]);
            add(ends[1]);
        }
        return result;
    }

    /** Removes a descriptor from the set, so that {@link #close} does not close it. */
    void keep(int fd) {
        for (int i = 0; i < count; i++) {
            if (fds[i] == fd) {
                fds[i] = fds[--count];
                identities[i] = identities[count];
                return;
            }
        }
    }

    /**
     * Returns the descriptor number of a FileDescriptor or a channel of the JDK, or {@code -EINVAL} for another class.
     */
    public static int descriptorOf(Object holder) {
        NativeLibrary.require();
        return Native.descriptor(holder);
    }

    private static byte[] terminated(byte[] path) {
        return Arrays.copyOf(path, path.length + 1);
    }

    /** Returns whether a descriptor of the set still refers to the file that was opened. */
    boolean isSameFile(int fd) {
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
