// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.PipeEnd;

/** Collects the output of one descriptor up to a limit, and drops the rest. Without a pipe there is no output. */
final class OutputBuffer {
    private final @Nullable PipeEnd pipe;
    private final int limit;
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private byte @Nullable [] chunk;
    private boolean atEnd;
    private boolean truncated;

    OutputBuffer(@Nullable PipeEnd pipe, int limit) {
        this.pipe = pipe;
        this.limit = limit;
        atEnd = pipe == null;
    }

    /**
     * Reads available output without waiting.
     *
     * @return the number of bytes; 0 if none is available, or the pipe is at its end
     */
    int read() throws IOException {
        if (atEnd || pipe == null || !pipe.isOpen()) {
            return 0;
        }
        chunk = chunk == null ? new byte[PipeEnd.CHUNK_BYTES] : chunk;
        int size = pipe.readNow(chunk, 0, chunk.length);
        if (size < 0) {
            atEnd = true;
            return 0;
        }
        int room = Math.min(size, limit - collected.size());
        collected.write(chunk, 0, room);
        truncated |= room < size;
        return size;
    }

    /** Adds an event that completes when more output is available or the pipe is at its end. */
    void addEventTo(List<CompletableFuture<?>> events) throws IOException {
        if (!atEnd && pipe != null && pipe.isOpen()) {
            events.add(pipe.whenReady());
        }
    }

    byte[] bytes() {
        return collected.toByteArray();
    }

    boolean truncated() {
        return truncated;
    }
}
