// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.umh4j.PipeWriter;
import org.umh4j.UsermodeDriver;

/**
 * Copies standard input to a driver, and the driver's output to standard output.
 *
 * <p>It serves the processes of a restarted driver one after the other. Input that one of them has not received goes to
 * the next. A daemon thread reads standard input, so a read that blocks does not keep the JVM running.
 */
final class DriverRelay {
    private static final int CHUNK_BYTES = 64 << 10;

    private @Nullable PipeWriter current;
    private boolean inputEnded;

    DriverRelay() {
        Thread reader = new Thread(this::readInput, "umh-stdin");
        reader.setDaemon(true);
        reader.start();
    }

    /** Copies until the driver's output ends. */
    void copyUntilEnd(UsermodeDriver driver) throws IOException {
        setWriter(driver.pipeToUmh());
        InputStream from = driver.pipeFromUmh().stream();
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        byte[] chunk = new byte[CHUNK_BYTES];
        for (int size = from.read(chunk); size >= 0; size = from.read(chunk)) {
            try {
                out.write(chunk, 0, size);
            } catch (IOException e) {
                from.close(); // the driver's next write fails with EPIPE
                throw new IOException("standard output can't be written: " + e.getMessage(), e);
            }
        }
    }

    private synchronized void setWriter(PipeWriter next) {
        current = next;
        if (inputEnded) {
            next.close();
        }
        notifyAll();
    }

    private synchronized PipeWriter awaitWriterAfter(@Nullable PipeWriter last) throws InterruptedException {
        while (current == null || current == last) {
            wait();
        }
        return current;
    }

    private synchronized void endInput() {
        inputEnded = true;
        if (current != null) {
            current.close();
        }
    }

    private void readInput() {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            FileInputStream in = new FileInputStream(FileDescriptor.in);
            PipeWriter to = awaitWriterAfter(null);
            for (int size = in.read(chunk); size >= 0; size = in.read(chunk)) {
                to = write(to, ByteBuffer.wrap(chunk, 0, size));
            }
        } catch (IOException e) {
            // closed or unreadable standard input ends the driver's input
        } catch (InterruptedException e) {
            throw new AssertionError("no code interrupts this thread", e);
        }
        endInput();
    }

    /** Writes all bytes and returns the writer that has received the last ones. */
    private PipeWriter write(PipeWriter first, ByteBuffer bytes) throws InterruptedException {
        PipeWriter to = first;
        while (bytes.hasRemaining()) {
            try {
                to.write(bytes);
            } catch (IOException e) {
                to = awaitWriterAfter(to);
            }
        }
        return to;
    }
}
