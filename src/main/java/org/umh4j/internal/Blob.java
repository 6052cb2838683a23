// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A program in memory, without a name on any disk, which nobody can write to. */
public final class Blob implements AutoCloseable {
    /** Where {@link #load} needs them; a class whose initialiser asked for them could not say why there is no library. */
    private static final class Place {
        static final int FD = Native.blobFd();
        static final int FD_IS = Native.blobFdIdentity();
    }

    private final int fd;
    private final HeldDescriptor held;
    private final boolean script;

    private Blob(int fd, boolean script) {
        this.fd = fd;
        this.held = HeldDescriptor.of(this, fd);
        this.script = script;
    }

    /** A blob; or null and why: a negative errno, or 0 because there was not a single byte. */
    public record Loaded(@Nullable Blob blob, int result) {}

    /** Reads a program to its end. The name is a file's, and {@code ps} may show it. */
    public static Loaded load(byte[] name, InputStream program) throws IOException {
        NativeLibrary.require();
        byte[] terminated = Arrays.copyOf(name, name.length + 1);
        long[] opened = new long[Native.blobCount()];
        int result = Native.blobOpen(terminated, opened);
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
                result = write(opened, chunk, size);
                size = program.readNBytes(chunk, 0, PipeEnd.CHUNK_BYTES);
            }
            written = result >= 0;
            if (written) {
                result = Native.blobSeal(terminated, opened);
            }
            return new Loaded(result < 0 ? null : new Blob(result, script), result);
        } finally {
            if (!written) {
                Native.blobDiscard(opened);
            }
        }
    }

    private static int write(long[] opened, byte[] bytes, int size) {
        int done = 0;
        while (done < size) {
            int result = Native.write((int) opened[Place.FD], opened[Place.FD_IS], bytes, done, size - done);
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

    /** Whether the descriptor is still the program's, and no other code has closed it. */
    public boolean isOwn() {
        return held.isOwn();
    }

    /** For the launcher, which checks the file that has arrived: umh_short_file_identity() of common/file_identity.h. */
    int shortIdentity() {
        long identity = held.identity();
        return (int) (identity ^ identity >>> Integer.SIZE);
    }

    /** Whether an interpreter has to open it. */
    boolean isScript() {
        return script;
    }

    @Override
    public void close() {
        held.close();
    }
}
