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
 * The streams of a helper, with the behaviour of the JDK's processes: they are buffered, an interrupt does not end a
 * wait, and a closed stream throws {@code Stream closed}.
 */
final class ProcessStreams {
    private ProcessStreams() {}

    /** Reads the helper's output; at its end if there is no pipe. */
    static InputStream output(@Nullable PipeEnd pipe) {
        return pipe == null ? new ByteArrayInputStream(new byte[0]) : new BufferedInputStream(new Output(pipe));
    }

    /** Writes the helper's input; closed if there is no pipe. */
    static OutputStream input(@Nullable PipeEnd pipe) {
        return pipe == null ? new Closed() : new BufferedOutputStream(new Input(pipe));
    }

    private static IOException streamClosed() {
        return new IOException("Stream closed");
    }

    private static final class Output extends InputStream {
        private final PipeEnd pipe;

        Output(PipeEnd pipe) {
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
            if (pipe.isOpen()) { // else closeBehindReaders() has closed it
                pipe.close();
            }
        }
    }

    private static final class Input extends OutputStream {
        private final PipeEnd pipe;

        Input(PipeEnd pipe) {
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

    private static final class Closed extends OutputStream {
        @Override
        public void write(int one) throws IOException {
            throw streamClosed();
        }
    }
}
