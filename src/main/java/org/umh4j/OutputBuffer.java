// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.PipeEnd;

/** Where the output of one descriptor is kept, up to a limit. Without a pipe there is nothing to keep. */
final class OutputBuffer {
    private static final int CHUNK = 64 << 10;

    private final @Nullable PipeEnd pipe;
    private final int limit;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private byte @Nullable [] chunk;
    private boolean ended;
    private boolean truncated;

    OutputBuffer(@Nullable PipeEnd pipe, int limit) {
        this.pipe = pipe;
        this.limit = limit;
        ended = pipe == null;
    }

    /** Takes what there is now: how many bytes; 0 when there is nothing, or nothing more will come. */
    int read() throws IOException {
        if (ended || pipe == null || !pipe.isOpen()) {
            return 0;
        }
        chunk = chunk == null ? new byte[CHUNK] : chunk;
        int size = pipe.readNow(chunk, 0, chunk.length);
        if (size < 0) {
            ended = true;
            return 0;
        }
        int room = Math.min(size, limit - kept.size());
        kept.write(chunk, 0, room);
        truncated |= room < size;
        return size;
    }

    void addTo(List<CompletableFuture<?>> events) throws IOException {
        if (!ended && pipe != null && pipe.isOpen()) {
            events.add(pipe.whenReady());
        }
    }

    byte[] bytes() {
        return kept.toByteArray();
    }

    boolean truncated() {
        return truncated;
    }
}
