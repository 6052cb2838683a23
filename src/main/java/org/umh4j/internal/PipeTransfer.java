// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;

/** One read or write on the descriptor of a pipe. */
interface PipeTransfer {
    /**
     * Transfers bytes without waiting, if the descriptor still refers to the file with this identity. Returns the
     * number of bytes, or a negative errno.
     */
    int apply(int fd, long identity);

    /** A read. It can also take its bytes from the content that is kept after the descriptor's close. */
    interface Read extends PipeTransfer {
        /** Takes bytes from the kept content, and returns their number. */
        int take(ByteBuffer content);
    }

    /** A read into an array. */
    record ArrayRead(byte[] bytes, int offset, int length) implements Read {
        @Override
        public int apply(int fd, long identity) {
            return Native.read(fd, identity, bytes, offset, length);
        }

        @Override
        public int take(ByteBuffer content) {
            int size = Math.min(length, content.remaining());
            content.get(bytes, offset, size);
            return size;
        }
    }

    /** A read into a direct buffer. */
    record DirectRead(ByteBuffer into, int position, int length) implements Read {
        @Override
        public int apply(int fd, long identity) {
            return Native.readDirect(fd, identity, into, position, length);
        }

        @Override
        public int take(ByteBuffer content) {
            int size = Math.min(length, content.remaining());
            into.put(position, content, content.position(), size);
            content.position(content.position() + size);
            return size;
        }
    }
}
