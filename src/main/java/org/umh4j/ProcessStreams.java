// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ClosedChannelException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.PipeEnd;

/**
 * The streams of a helper with the behavior of the JDK's processes: they are buffered, an interrupt does not end a
 * wait, and a closed stream throws {@code Stream closed}.
 */
final class ProcessStreams {
    private ProcessStreams() {}

    /** A stream from the helper. Without a pipe it is at its end. */
    static InputStream output(@Nullable PipeEnd pipe) {
        return pipe == null
                ? new ByteArrayInputStream(new byte[0])
                : new BufferedInputStream(new PipeInputStream(pipe));
    }

    /** A stream to the helper. Without a pipe it is closed. */
    static OutputStream input(@Nullable PipeEnd pipe) {
        return pipe == null ? new ClosedStream() : new BufferedOutputStream(new PipeOutputStream(pipe));
    }

    private static IOException streamClosed() {
        return new IOException("Stream closed");
    }

    private static final class PipeInputStream extends InputStream {
        private final PipeEnd pipe;

        PipeInputStream(PipeEnd pipe) {
            this.pipe = pipe;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            try {
                return pipe.readUninterruptibly(bytes, offset, length);
            } catch (ClosedChannelException e) {
                throw streamClosed();
            }
        }

        @Override
        public int available() throws IOException {
            try {
                return pipe.available();
            } catch (ClosedChannelException e) {
                throw streamClosed();
            }
        }

        @Override
        public void close() {
            if (pipe.isOpen()) { // closeForNewCalls() may have closed it
                pipe.close();
            }
        }
    }

    private static final class PipeOutputStream extends OutputStream {
        private final PipeEnd pipe;

        PipeOutputStream(PipeEnd pipe) {
            this.pipe = pipe;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            try {
                pipe.writeUninterruptibly(bytes, offset, length);
            } catch (ClosedChannelException e) {
                throw streamClosed();
            }
        }

        @Override
        public void close() {
            pipe.close();
        }
    }

    private static final class ClosedStream extends OutputStream {
        @Override
        public void write(int one) throws IOException {
            throw streamClosed();
        }
    }
}
