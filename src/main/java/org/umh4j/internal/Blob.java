// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The program of a driver: a sealed memfd, which has no path and can't be written to. */
public final class Blob implements AutoCloseable {
    /** Indices of the array of {@link #load}. A separate class, since its initializer needs the native library. */
    private static final class Field {
        static final int FD = Native.blobFd();
        static final int FD_IS = Native.blobFdIdentity();
    }

    private final int fd;
    private final OwnedDescriptor owned;
    private final boolean script;

    private Blob(int fd, boolean script) {
        this.fd = fd;
        this.owned = OwnedDescriptor.of(this, fd);
        this.script = script;
    }

    /** A blob, or null with the reason: a negative errno, or 0 for an empty program. */
    public record Loaded(@Nullable Blob blob, int result) {}

    /** Reads a program to its end into a memfd of this name. {@code ps} may show the name. */
    public static Loaded load(byte[] name, InputStream program) throws IOException {
        NativeLibrary.require();
        byte[] terminated = Arrays.copyOf(name, name.length + 1);
        long[] fields = new long[Native.blobCount()];
        int result = Native.blobOpen(terminated, fields);
        if (result < 0) {
            return new Loaded(null, result);
        }
        boolean written = false;
        try {
            byte[] chunk = new byte[PipeEnd.CHUNK_BYTES];
            int size = program.readNBytes(chunk, 0, PipeEnd.CHUNK_BYTES);
            if (size == 0) {
                return new Loaded(null, 0);
            }
            boolean script = size >= 2 && chunk[0] == '#' && chunk[1] == '!';
            while (size > 0 && result >= 0) {
                result = write(fields, chunk, size);
                size = program.readNBytes(chunk, 0, PipeEnd.CHUNK_BYTES);
            }
            written = result >= 0;
            if (written) {
                result = Native.blobSeal(terminated, fields);
            }
            return new Loaded(result < 0 ? null : new Blob(result, script), result);
        } finally {
            if (!written) {
                Native.blobDiscard(fields);
            }
        }
    }

    private static int write(long[] fields, byte[] bytes, int size) {
        int done = 0;
        while (done < size) {
            int result = Native.write((int) fields[Field.FD], fields[Field.FD_IS], bytes, done, size - done);
            if (result < 0) {
                return result;
            }
            done += result;
        }
        return done;
    }

    int fd() {
        return fd;
    }

    /** Returns whether the descriptor still refers to the program, and other code has not closed it. */
    public boolean isSameFile() {
        return owned.isSameFile();
    }

    /**
     * Returns umh_short_file_identity() of common/file_identity.h. The launcher checks the received descriptor by it.
     */
    int shortIdentity() {
        long identity = owned.identity();
        return (int) (identity ^ identity >>> Integer.SIZE);
    }

    /** Returns whether the program is a script, which its interpreter opens again. */
    boolean isScript() {
        return script;
    }

    @Override
    public void close() {
        owned.close();
    }
}
