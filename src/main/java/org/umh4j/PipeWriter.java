// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import org.umh4j.internal.PipeEnd;

/**
 * The JVM's end of a pipe from which a helper reads.
 *
 * <p>Writing waits while the pipe is full, and a virtual thread that waits pins no carrier. When nobody reads any more it
 * fails with {@code Broken pipe}. What two threads write at the same time is not mixed: one waits for the other. An
 * interrupt ends a wait with an {@link java.io.InterruptedIOException}; what was written before it is written, and the
 * position of a buffer tells how much that was. Closing is the helper's end of file; from another thread it ends a wait with
 * an {@link java.nio.channels.AsynchronousCloseException}.
 */
public final class PipeWriter implements WritableByteChannel {
    private final PipeEnd end;

    PipeWriter(PipeEnd end) {
        this.end = end;
    }

    PipeEnd end() {
        return end;
    }

    /** Writes all that remains. */
    @Override
    public int write(ByteBuffer from) throws IOException {
        int length = Objects.requireNonNull(from, "from").remaining();
        end.write(from);
        return length;
    }

    @Override
    public boolean isOpen() {
        return end.isOpen();
    }

    @Override
    public void close() {
        end.close();
    }

    /** The same as a stream, without a buffer; closing either closes both. */
    public OutputStream stream() {
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                Objects.checkFromIndexSize(offset, length, bytes.length);
                end.write(bytes, offset, length);
            }

            @Override
            public void close() {
                end.close();
            }
        };
    }
}
