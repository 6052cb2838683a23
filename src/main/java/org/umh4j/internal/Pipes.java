// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The pipes of one helper: the JVM's ends by the descriptor number of the helper's ends. */
public final class Pipes {
    private static final Pipes NONE = new Pipes();

    private final Map<Integer, PipeEnd> readers = new TreeMap<>();
    private final Map<Integer, PipeEnd> writers = new TreeMap<>();

    /** Returns an empty set, for a helper without pipes. */
    public static Pipes none() {
        return NONE;
    }

    /** Creates a pipe from the helper to the JVM. Returns the helper's end, or a negative errno. */
    public int toJvm(int target, OpenedFiles opened) {
        int[] ends = new int[2];
        int result = opened.openPipe(ends);
        if (result < 0) {
            return result;
        }
        readers.put(target, PipeEnd.reading(ends[0])); // if it throws, opened closes both ends
        opened.keep(ends[0]);
        return ends[1];
    }

    /** Creates a pipe from the JVM to the helper. Returns the helper's end, or a negative errno. */
    public int fromJvm(int target, OpenedFiles opened) {
        int[] ends = new int[2];
        int result = opened.openPipe(ends);
        if (result < 0) {
            return result;
        }
        writers.put(target, PipeEnd.writing(ends[1]));
        opened.keep(ends[1]);
        return ends[0];
    }

    /** Returns the JVM's end of a pipe that the helper writes to, or null. */
    public @Nullable PipeEnd reader(int target) {
        return readers.get(target);
    }

    /** Returns the JVM's end of a pipe that the helper reads from, or null. */
    public @Nullable PipeEnd writer(int target) {
        return writers.get(target);
    }

    public boolean isEmpty() {
        return readers.isEmpty() && writers.isEmpty();
    }

    /** Ends all streams after the helper's end, even if another process holds a pipe. */
    public void endStreams() {
        readers.values().forEach(PipeEnd::endStream);
        writers.values().forEach(PipeEnd::endStream);
    }

    /** Closes the descriptors of the standard streams after the helper's end, and keeps their content. */
    public void releaseStandardStreams() {
        for (PipeEnd end : new PipeEnd[] {writers.get(0), readers.get(1), readers.get(2)}) {
            if (end != null) {
                end.release();
            }
        }
    }

    /** Closes all of the JVM's ends. */
    public void close() {
        readers.values().forEach(PipeEnd::close);
        writers.values().forEach(PipeEnd::close);
    }
}
