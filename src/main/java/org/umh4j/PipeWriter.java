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
 * <p>A write waits while the pipe is full. A virtual thread that waits does not pin its carrier. If no process has
 * the other end open any more, the write fails with {@code Broken pipe}. Two writes at the same time are not mixed:
 * the second waits for the first. An interrupt ends the wait with an {@link java.io.InterruptedIOException}; the
 * position of the buffer shows how many bytes were written before. Closing gives the helper end of file. If another
 * thread closes the pipe, the wait ends with an {@link java.nio.channels.AsynchronousCloseException}.
 */
public final class PipeWriter implements WritableByteChannel {
    private final PipeEnd end;

    PipeWriter(PipeEnd end) {
        this.end = end;
    }

    PipeEnd end() {
        return end;
    }

    /** Writes all remaining bytes of the buffer. */
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

    /** Returns a stream without a buffer that writes to this pipe. Closing it closes the pipe. */
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
