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
 * Standard input to a driver, and the driver to standard output; one driver after the other.
 *
 * <p>What was not yet written to one driver's pipe at its end the next one gets. One thread reads standard
 * input, and may wait there
 * for ever: the JVM ends without it.
 */
final class DriverRelay {
    private static final int CHUNK = 64 << 10;

    private @Nullable PipeWriter current;
    private boolean ended;

    DriverRelay() {
        Thread reader = new Thread(this::readInput, "umh-stdin");
        reader.setDaemon(true);
        reader.start();
    }

    /** Carries until the driver's output ends. */
    void carry(UsermodeDriver driver) throws IOException {
        hand(driver.pipeToUmh());
        InputStream from = driver.pipeFromUmh().stream();
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        byte[] chunk = new byte[CHUNK];
        for (int size = from.read(chunk); size >= 0; size = from.read(chunk)) {
            try {
                out.write(chunk, 0, size);
            } catch (IOException e) {
                from.close(); // the driver must know that its output goes nowhere
                throw new IOException("standard output can't be written: " + e.getMessage(), e);
            }
        }
    }

    private synchronized void hand(PipeWriter next) {
        current = next;
        if (ended) {
            next.close();
        }
        notifyAll();
    }

    private synchronized PipeWriter after(@Nullable PipeWriter last) throws InterruptedException {
        while (current == null || current == last) {
            wait();
        }
        return current;
    }

    private synchronized void end() {
        ended = true;
        if (current != null) {
            current.close();
        }
    }

    private void readInput() {
        byte[] chunk = new byte[CHUNK];
        try {
            FileInputStream in = new FileInputStream(FileDescriptor.in);
            PipeWriter to = after(null);
            for (int size = in.read(chunk); size >= 0; size = in.read(chunk)) {
                to = write(to, ByteBuffer.wrap(chunk, 0, size));
            }
        } catch (IOException e) {
            // standard input is closed or can't be read: for the driver that is its end
        } catch (InterruptedException e) {
            throw new AssertionError("nobody knows this thread", e);
        }
        end();
    }

    /** The driver that took the last of it. */
    private PipeWriter write(PipeWriter first, ByteBuffer bytes) throws InterruptedException {
        PipeWriter to = first;
        while (bytes.hasRemaining()) {
            try {
                to.write(bytes);
            } catch (IOException e) {
                to = after(to);
            }
        }
        return to;
    }
}
