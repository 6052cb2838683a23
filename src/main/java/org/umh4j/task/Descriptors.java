// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.io.FileDescriptor;
import java.nio.channels.Channel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Pipes;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;

/**
 * The descriptors that a helper is born with, each from a source of its own; immutable. Nothing else is open in it.
 *
 * <p>{@link #none()} is the kernel's own way, and the default of {@link org.umh4j.UsermodeHelper#call} and
 * {@link org.umh4j.UsermodeHelper#exec}: even 0, 1 and 2 are closed. That is a hazard for a program that does not expect it. The
 * first file that it opens becomes its standard input, the third its standard error, and its warnings are written into
 * that file. {@link #devNull()} is the default of {@link org.umh4j.UsermodeHelper#start} and {@link org.umh4j.Pipeline}. Begin with it
 * unless the program is known to handle closed descriptors. Targets are 0 to 65,535. A target must be below the
 * helper's limit on descriptors and two below this JVM's.
 *
 * <p>The JVM opens files with its own rights right before the helper is created, and closes its copies right after. It
 * opens them with {@code O_NONBLOCK} and {@code O_NOCTTY}. A FIFO without an open peer is therefore refused with
 * {@code ENXIO}, both for reading and for writing. To pass such a FIFO, open it with {@link StandardOpenOption#READ} and {@link StandardOpenOption#WRITE}, or
 * open it yourself and pass it by {@link #inherit(int, FileDescriptor)}. The helper's descriptor has {@code O_NONBLOCK}
 * only if the flags contain it. A terminal does not become the JVM's controlling terminal. If another process holds a
 * lease on the file, the open is repeated for up to a minute, or until the call's timeout. A file system that does not
 * respond blocks the open until it responds, or until the call's timeout. An interrupt ends both waits if the call is
 * killable or has a timeout.
 */
public final class Descriptors {
    /** The largest number that a helper's descriptor may have. */
    public static final int MAX_TARGET = 65_535;

    private static final Descriptors NONE = new Descriptors(Collections.emptyNavigableMap());
    private static final Descriptors DEV_NULL = NONE.devNull(0).duplicate(1, 0).duplicate(2, 0);

    /** Where a descriptor comes from. */
    sealed interface Source {
        /** This JVM's own descriptor. */
        record Inherited(int fd) implements Source {}

        /** What a channel or stream of the JDK holds. */
        record Held(Object holder) implements Source {}

        /** A pipe to or from the JVM. */
        record Piped(boolean toJvm) implements Source {}

        /** Whatever another of the helper's descriptors is. */
        record Same(int target) implements Source {}

        /** A file to be opened. */
        record Opened(byte[] path, int flags, int mode) implements Source {}
    }

    private final Map<Integer, Source> sources;

    private Descriptors(Map<Integer, Source> sources) {
        this.sources = sources;
    }

    /** No descriptor at all, not even 0 to 2, as in the kernel's helpers. */
    public static Descriptors none() {
        return NONE;
    }

    /** {@code /dev/null} as standard input, output and error. */
    public static Descriptors devNull() {
        return DEV_NULL;
    }

    /** This JVM's standard input, output and error as the helper's. */
    public static Descriptors inheritIO() {
        return NONE.inherit(0, 0).inherit(1, 1).inherit(2, 2);
    }

    /**
     * These, and this JVM's descriptor {@code fd} as the helper's {@code target}.
     *
     * <p>They share one open file: its offset and flags are common to both.
     */
    public Descriptors inherit(int target, int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        return with(target, new Source.Inherited(fd));
    }

    /** These, and what this stream's descriptor is; it must stay open until the helper was started. */
    public Descriptors inherit(int target, FileDescriptor descriptor) {
        return with(target, new Source.Held(Objects.requireNonNull(descriptor, "descriptor")));
    }

    /**
     * These, and what this channel of the JDK holds: a file, a socket, a pipe's end. It must stay open until the helper was
     * started. A socket channel that is in non-blocking mode is so for the helper too.
     *
     * @throws IllegalArgumentException at the start, if the channel is not one of the JDK's own
     */
    public Descriptors inherit(int target, Channel channel) {
        return with(target, new Source.Held(Objects.requireNonNull(channel, "channel")));
    }

    /** These, and {@code /dev/null}, open for reading and writing. */
    public Descriptors devNull(int target) {
        return open(target, "/dev/null", StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /**
     * These, and a file. A file that is created gets mode 0666 less the JVM's umask.
     *
     * @param options {@code READ} if no access is named; {@code APPEND} includes {@code WRITE}; {@code CREATE_NEW} is
     *     {@code O_CREAT|O_EXCL}
     * @throws IllegalArgumentException for an option that open(2) has no flag for
     */
    public Descriptors open(int target, Path path, OpenOption... options) {
        return open(target, path.toString(), options);
    }

    /** The same by a text. */
    public Descriptors open(int target, String path, OpenOption... options) {
        return with(target, new Source.Opened(Bytes.of(path, "path"), OpenFlags.of(options), 0666));
    }

    /** The same for a name in another encoding than the system's. */
    public Descriptors open(int target, byte[] path, OpenOption... options) {
        return open(target, path, OpenFlags.of(options), 0666);
    }

    /** These, and a file, opened with {@code flags} and {@code mode} as {@code open(2)} has them. */
    public Descriptors open(int target, byte[] path, int flags, int mode) {
        return with(target, new Source.Opened(Bytes.of(path, "path"), flags, mode));
    }

    /** These, and a pipe that the helper writes into; the JVM reads it by {@link org.umh4j.Helper#reader} or {@link org.umh4j.Helper#stdout}. */
    public Descriptors pipeToJvm(int target) {
        return with(target, new Source.Piped(true));
    }

    /** These, and a pipe that the helper reads from; the JVM fills it by {@link org.umh4j.Helper#writer} or {@link org.umh4j.Helper#stdin}. */
    public Descriptors pipeFromJvm(int target) {
        return with(target, new Source.Piped(false));
    }

    /**
     * These, and a duplicate of the helper's descriptor {@code other}, as it is now: {@code duplicate(2, 1)} is a shell's
     * {@code 2>&1}, and like there, what {@code other} becomes or that it is taken away later does not matter.
     *
     * @throws IllegalArgumentException if these have no {@code other}
     */
    public Descriptors duplicate(int target, int other) {
        if (!contains(other)) {
            throw new IllegalArgumentException(
                    "descriptor " + target + " can't be the same as " + other + ", which is none");
        }
        if (target == other) {
            return this;
        }
        // Looked up without the target: other may have been its duplicate, and is its heir then.
        Source source = without(target).sources.get(other);
        return with(target, source instanceof Source.Same ? source : new Source.Same(other));
    }

    /** These without the helper's descriptor {@code target}. */
    public Descriptors without(int target) {
        Map<Integer, Source> copy = new TreeMap<>(sources);
        remove(copy, target);
        return new Descriptors(copy);
    }

    /** Takes a target away; its first duplicate inherits its source. */
    private static void remove(Map<Integer, Source> sources, int target) {
        Source source = sources.remove(target);
        Integer heir = null;
        for (Map.Entry<Integer, Source> other : sources.entrySet()) {
            if (other.getValue() instanceof Source.Same same && same.target() == target) {
                other.setValue(heir == null ? source : new Source.Same(heir));
                heir = heir == null ? other.getKey() : heir;
            }
        }
    }

    private Descriptors with(int target, Source source) {
        if (target < 0 || target > MAX_TARGET) {
            throw new IllegalArgumentException("descriptor " + target + " is not in 0 to " + MAX_TARGET);
        }
        Map<Integer, Source> copy = new TreeMap<>(sources);
        remove(copy, target);
        copy.put(target, source);
        return new Descriptors(copy);
    }

    /** These, and {@code /dev/null} at each of 0, 1 and 2 that has no source. */
    public Descriptors orDevNull() {
        Descriptors files = this;
        for (int target = 0; target <= 2; target++) {
            files = files.contains(target) ? files : files.devNull(target);
        }
        return files;
    }

    /** Whether one of them is a pipe to or from the JVM. */
    public boolean hasPipes() {
        for (Source source : sources.values()) {
            if (source instanceof Source.Piped) {
                return true;
            }
        }
        return false;
    }

    /** Whether there is a pipe that is neither input at 0 nor output at 1 or 2. */
    public boolean hasPipesBeyondStandard() {
        return sources.entrySet().stream()
                .anyMatch(file -> file.getValue() instanceof Source.Piped pipe
                        && !(pipe.toJvm() ? file.getKey() == 1 || file.getKey() == 2 : file.getKey() == 0));
    }

    /** Whether the helper has a descriptor of this number. */
    public boolean contains(int target) {
        return sources.containsKey(target);
    }

    void writeTo(Plan plan, OpenedFiles opened, Pipes pipes) throws StageFailure {
        plan.require(UmhStage.DESCRIPTORS);
        Map<Integer, Integer> numbers = new HashMap<>();
        for (Map.Entry<Integer, Source> file : sources.entrySet()) {
            if (!(file.getValue() instanceof Source.Same)) {
                int fd = descriptor(file.getKey(), file.getValue(), opened, pipes);
                if (fd < 0) {
                    throw new StageFailure(UmhStage.SOURCE, fd, file.getKey(), nameOf(file.getValue()));
                }
                numbers.put(file.getKey(), fd);
            }
        }
        for (Map.Entry<Integer, Source> file : sources.entrySet()) {
            int source = file.getValue() instanceof Source.Same same ? same.target() : file.getKey();
            plan.file(file.getKey(), Objects.requireNonNull(numbers.get(source)));
        }
    }

    private static @Nullable String nameOf(Source source) {
        return source instanceof Source.Opened file ? Bytes.toString(file.path()) : null;
    }

    private static int descriptor(int target, Source source, OpenedFiles opened, Pipes pipes) {
        if (source instanceof Source.Opened file) {
            return opened.open(file.path(), file.flags(), file.mode());
        }
        if (source instanceof Source.Inherited own) {
            return own.fd();
        }
        if (source instanceof Source.Piped pipe) {
            return pipe.toJvm() ? pipes.toJvm(target, opened) : pipes.fromJvm(target, opened);
        }
        Object holder = ((Source.Held) source).holder();
        if (holder instanceof Channel channel && !channel.isOpen()) {
            return -Errno.EBADF.number(); // it may still know its number, which is somebody else's by now
        }
        int fd = OpenedFiles.descriptorOf(holder);
        if (fd == -Errno.EINVAL.number()) {
            throw new IllegalArgumentException(holder.getClass().getName() + " holds no descriptor");
        }
        return fd;
    }
}
