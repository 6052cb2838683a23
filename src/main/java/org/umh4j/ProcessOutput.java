// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.umh4j.internal.PipeEnd;

/**
 * What a helper wrote until its end. As with the JDK's own processes the stream ends there, whoever else holds the pipe;
 * here a read that waits ends too.
 */
final class ProcessOutput extends InputStream {
    private final Helper helper;
    private final PipeEnd pipe;

    ProcessOutput(Helper helper, PipeEnd pipe) {
        this.helper = helper;
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
        while (length > 0) {
            boolean over = !helper.isAlive(); // asked first: what it wrote is in the pipe then
            int size = pipe.readNow(bytes, offset, length);
            if (size != 0 || over) {
                return size == 0 ? -1 : size;
            }
            pipe.awaitReadyOr(helper.exitEvent());
        }
        return 0;
    }

    @Override
    public int available() throws IOException {
        return pipe.available();
    }

    @Override
    public void close() {
        pipe.close();
    }
}
