// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Objects;
import org.umh4j.internal.PipeEnd;

/**
 * The JVM's end of a pipe to which a helper writes.
 *
 * <p>A read waits for the first byte. A virtual thread that waits does not pin its carrier. An interrupt ends the
 * wait with an {@link java.io.InterruptedIOException}; the interrupt flag stays set, the pipe stays open, and no data
 * is lost. If another thread closes the pipe, the wait ends with an
 * {@link java.nio.channels.AsynchronousCloseException}. If several threads read, each byte goes to one of them.
 */
public final class PipeReader implements ReadableByteChannel {
    private final PipeEnd end;

    PipeReader(PipeEnd end) {
        this.end = end;
    }

    PipeEnd end() {
        return end;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return end.read(Objects.requireNonNull(into, "into"));
    }

    @Override
    public boolean isOpen() {
        return end.isOpen();
    }

    @Override
    public void close() {
        end.close();
    }

    /** Returns a stream without a buffer that reads from this pipe. Closing it closes the pipe. */
    public InputStream stream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return end.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                Objects.checkFromIndexSize(offset, length, bytes.length);
                return end.read(bytes, offset, length);
            }

            @Override
            public int available() throws IOException {
                return end.available();
            }

            @Override
            public void close() {
                end.close();
            }
        };
    }
}
