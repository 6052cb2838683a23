// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The pipes of one helper: the JVM's ends, by the number that the other end has in the helper. */
public final class Pipes {
    private static final Pipes NONE = new Pipes();

    private final Map<Integer, PipeEnd> readers = new TreeMap<>();
    private final Map<Integer, PipeEnd> writers = new TreeMap<>();

    /** For a helper without pipes. */
    public static Pipes none() {
        return NONE;
    }

    /** Makes a pipe on which the helper writes and the JVM reads: the helper's end, or a negative errno. */
    public int toJvm(int target, OpenedFiles opened) {
        int[] ends = new int[2];
        int result = opened.openPipe(ends);
        if (result < 0) {
            return result;
        }
        opened.keep(ends[0]);
        readers.put(target, PipeEnd.reading(ends[0]));
        return ends[1];
    }

    /** Makes a pipe on which the JVM writes and the helper reads: the helper's end, or a negative errno. */
    public int fromJvm(int target, OpenedFiles opened) {
        int[] ends = new int[2];
        int result = opened.openPipe(ends);
        if (result < 0) {
            return result;
        }
        opened.keep(ends[1]);
        writers.put(target, PipeEnd.writing(ends[1]));
        return ends[0];
    }

    /** The JVM's end of a pipe on which the helper writes; null without one. */
    public @Nullable PipeEnd reader(int target) {
        return readers.get(target);
    }

    /** The JVM's end of a pipe from which the helper reads; null without one. */
    public @Nullable PipeEnd writer(int target) {
        return writers.get(target);
    }

    public boolean isEmpty() {
        return readers.isEmpty() && writers.isEmpty();
    }

    /** The helper has ended, and whoever else holds the other ends does not count. */
    public void end() {
        readers.values().forEach(PipeEnd::end);
        writers.values().forEach(PipeEnd::end);
    }

    /** The helper has ended: closes the descriptors of its standard streams and keeps their content. */
    public void release() {
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
