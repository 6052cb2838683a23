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
 * The open descriptors of a helper: a map from a descriptor number in the helper, the target, to its source. Immutable;
 * each method returns a changed copy. No other descriptor is open in the helper.
 *
 * <pre>{@code
 * Descriptors map = Descriptors.devNull().pipeToJvm(1).duplicate(2, 1).open(3, Path.of("/etc/hosts"));
 * }</pre>
 *
 * <p>A source is a descriptor or channel of the JVM, a file, a pipe to or from the JVM, or another descriptor of the
 * helper. Targets are 0 to {@value #MAX_TARGET}. A target must be at least two below the JVM's {@code RLIMIT_NOFILE},
 * and further below it if the targets have no gap or if the helper has landlock rules, a seccomp filter or a driver's
 * program. A target may be above the helper's {@code RLIMIT_NOFILE}, which is set later.
 *
 * <table>
 * <caption>Descriptors of a task without a map</caption>
 * <tr><td>{@link org.umh4j.UsermodeHelper#call}, {@link org.umh4j.UsermodeHelper#exec}</td><td>none</td></tr>
 * <tr><td>{@link org.umh4j.UsermodeHelper#start}</td><td>{@code /dev/null} at 0, 1 and 2</td></tr>
 * <tr><td>{@link org.umh4j.Pipeline}</td><td>pipes between the helpers, else {@code /dev/null} at 0, 1 and 2</td></tr>
 * <tr><td>{@link org.umh4j.UsermodeHelper#run}</td><td>{@code /dev/null} or the input at 0; pipes into the result at 1
 *     and 2</td></tr>
 * <tr><td>{@link org.umh4j.UsermodeDriver}</td><td>pipes at 0 and 1, nothing at 2</td></tr>
 * </table>
 *
 * <p>If the task has a map that lacks 0, 1 or 2, {@code run} and {@code Pipeline} add the missing ones as in the table.
 * {@code call}, {@code exec}, {@code start} and drivers leave them closed; a driver always has its pipes at 0 and 1.
 *
 * <p>{@link #none()} is the state of the kernel's helpers: even 0, 1 and 2 are closed. A program that does not expect
 * this is in danger. The first file that it opens becomes its standard input, the third its standard error, and its
 * warnings are written into that file. Begin with {@link #devNull()} unless the program is known to handle closed
 * descriptors.
 *
 * <p>The JVM opens files with its own rights before it creates the helper, and closes its copies after the start. It
 * opens them with {@code O_NONBLOCK} and {@code O_NOCTTY}. Three rules follow:
 *
 * <ul>
 *   <li>A FIFO without an open peer fails with {@code ENXIO}, for reading too. To pass such a FIFO, open it with
 *       {@link StandardOpenOption#READ} and {@link StandardOpenOption#WRITE}, or open it in the JVM and pass it by
 *       {@link #inherit(int, FileDescriptor)}.
 *   <li>The helper's descriptor has {@code O_NONBLOCK} only if the flags contain it.
 *   <li>A terminal does not become the JVM's controlling terminal.
 * </ul>
 *
 * <p>If another process holds a lease on a file, the open is repeated for up to a minute, or until the call's timeout.
 * A file system that does not respond blocks the open until it responds, or until the call's timeout. An interrupt ends
 * both waits if the call is killable or has a timeout.
 *
 * <p>A source that can't be opened, or is closed, fails the start at {@link UmhStage#SOURCE} with the errno of
 * {@code open(2)} or {@code EBADF}. The stage's detail is the target.
 *
 * @implSpec {@code SCM_RIGHTS}, {@code dup3(2)}, {@code close_range(2)}
 */
public final class Descriptors {
    /** The largest target. */
    public static final int MAX_TARGET = 65_535;

    private static final Descriptors NONE = new Descriptors(Collections.emptyNavigableMap());
    private static final Descriptors DEV_NULL = NONE.devNull(0).duplicate(1, 0).duplicate(2, 0);

    /** The source of a target. */
    sealed interface Source {
        /** A descriptor of the JVM. */
        record Inherited(int fd) implements Source {}

        /** The descriptor of a channel or a FileDescriptor of the JDK. */
        record Held(Object holder) implements Source {}

        /** A pipe to or from the JVM. */
        record Piped(boolean toJvm) implements Source {}

        /** A duplicate of another target. */
        record Duplicate(int target) implements Source {}

        /** A file that the JVM opens. */
        record Opened(byte[] path, int flags, int mode) implements Source {}
    }

    private final Map<Integer, Source> sources;

    private Descriptors(Map<Integer, Source> sources) {
        this.sources = sources;
    }

    /**
     * Returns an empty map: not even 0, 1 and 2 are open, as in the kernel's helpers. {@code run} and {@code Pipeline}
     * add 0, 1 and 2.
     */
    public static Descriptors none() {
        return NONE;
    }

    /** Returns {@code /dev/null} as standard input, output and error. */
    public static Descriptors devNull() {
        return DEV_NULL;
    }

    /** Returns the JVM's standard input, output and error as the helper's, as {@link ProcessBuilder#inheritIO}. */
    public static Descriptors inheritIO() {
        return NONE.inherit(0, 0).inherit(1, 1).inherit(2, 2);
    }

    /**
     * Passes the JVM's descriptor {@code fd} to the helper as {@code target}. The helper's number comes first; the
     * order of {@code dup2(2)} is the reverse.
     *
     * <p>Both descriptors refer to the same open file description, so they share its offset and flags.
     */
    public Descriptors inherit(int target, int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        return with(target, new Source.Inherited(fd));
    }

    /** Passes the descriptor of a stream to the helper. It must stay open until the helper has been started. */
    public Descriptors inherit(int target, FileDescriptor descriptor) {
        return with(target, new Source.Held(Objects.requireNonNull(descriptor, "descriptor")));
    }

    /**
     * Passes the descriptor of a channel of the JDK to the helper: a file, a socket, or an end of a pipe. The channel
     * must stay open until the helper has been started. A socket channel in non-blocking mode is non-blocking in the
     * helper too.
     *
     * @throws IllegalArgumentException at the start, if the class of the channel is not one of the JDK
     */
    public Descriptors inherit(int target, Channel channel) {
        return with(target, new Source.Held(Objects.requireNonNull(channel, "channel")));
    }

    /** Opens {@code /dev/null} for reading and writing. */
    public Descriptors devNull(int target) {
        return open(target, "/dev/null", StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /**
     * Opens a file. A created file gets mode 0666 without the bits of the JVM's umask.
     *
     * @param options the default is {@code READ}; {@code APPEND} includes {@code WRITE}; {@code CREATE_NEW} is
     *     {@code O_CREAT|O_EXCL}
     * @throws IllegalArgumentException for an option without a flag of {@code open(2)}, such as {@code DELETE_ON_CLOSE}
     */
    public Descriptors open(int target, Path path, OpenOption... options) {
        return open(target, Bytes.of(path, "path"), options);
    }

    /** Opens a file. See {@link #open(int, Path, OpenOption...)}. */
    public Descriptors open(int target, String path, OpenOption... options) {
        return with(target, new Source.Opened(Bytes.of(path, "path"), OpenFlags.of(options), 0666));
    }

    /** Opens a file by bytes in any encoding. See {@link #open(int, Path, OpenOption...)}. */
    public Descriptors open(int target, byte[] path, OpenOption... options) {
        return open(target, path, OpenFlags.of(options), 0666);
    }

    /** Opens a file with flags and mode of {@code open(2)}. */
    public Descriptors open(int target, byte[] path, int flags, int mode) {
        return with(target, new Source.Opened(Bytes.of(path, "path"), flags, mode));
    }

    /**
     * Creates a pipe that the helper writes to. The JVM reads it by {@link org.umh4j.Helper#reader} or
     * {@link org.umh4j.Helper#stdout}.
     */
    public Descriptors pipeToJvm(int target) {
        return with(target, new Source.Piped(true));
    }

    /**
     * Creates a pipe that the helper reads from. The JVM writes to it by {@link org.umh4j.Helper#writer} or
     * {@link org.umh4j.Helper#stdin}.
     */
    public Descriptors pipeFromJvm(int target) {
        return with(target, new Source.Piped(false));
    }

    /**
     * Duplicates the current source of {@code other}: {@code duplicate(2, 1)} is {@code 2>&1} of a shell. A later
     * change or removal of {@code other} does not change the duplicate.
     *
     * @throws IllegalArgumentException if there is no target {@code other}
     */
    public Descriptors duplicate(int target, int other) {
        if (!contains(other)) {
            throw new IllegalArgumentException(
                    "descriptor " + target + " can't duplicate " + other + ", which is not in the map");
        }
        if (target == other) {
            return this;
        }
        // The target is removed first: if other was its duplicate, other inherits its source.
        Source source = without(target).sources.get(other);
        return with(target, source instanceof Source.Duplicate ? source : new Source.Duplicate(other));
    }

    /** Removes a target. */
    public Descriptors without(int target) {
        Map<Integer, Source> copy = new TreeMap<>(sources);
        remove(copy, target);
        return new Descriptors(copy);
    }

    /** Removes a target. Its first duplicate inherits the source; other duplicates become duplicates of the first. */
    private static void remove(Map<Integer, Source> sources, int target) {
        Source source = sources.remove(target);
        Integer firstDuplicate = null;
        for (Map.Entry<Integer, Source> other : sources.entrySet()) {
            if (other.getValue() instanceof Source.Duplicate duplicate && duplicate.target() == target) {
                other.setValue(firstDuplicate == null ? source : new Source.Duplicate(firstDuplicate));
                firstDuplicate = firstDuplicate == null ? other.getKey() : firstDuplicate;
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

    /** Opens {@code /dev/null} for each of 0, 1 and 2 that has no source. */
    public Descriptors orDevNull() {
        Descriptors copy = this;
        for (int target = 0; target <= 2; target++) {
            copy = copy.contains(target) ? copy : copy.devNull(target);
        }
        return copy;
    }

    /** Returns whether a source is a pipe to or from the JVM. */
    public boolean hasPipes() {
        for (Source source : sources.values()) {
            if (source instanceof Source.Piped) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether there is a pipe other than from the JVM to 0, or from 1 or 2 to the JVM. */
    public boolean hasPipesBeyondStandard() {
        return sources.entrySet().stream()
                .anyMatch(file -> file.getValue() instanceof Source.Piped pipe
                        && !(pipe.toJvm() ? file.getKey() == 1 || file.getKey() == 2 : file.getKey() == 0));
    }

    /** Returns whether the target has a source. */
    public boolean contains(int target) {
        return sources.containsKey(target);
    }

    void writeTo(Plan plan, OpenedFiles opened, Pipes pipes) throws StageFailure {
        plan.require(UmhStage.DESCRIPTORS);
        Map<Integer, Integer> numbers = new HashMap<>();
        for (Map.Entry<Integer, Source> file : sources.entrySet()) {
            if (!(file.getValue() instanceof Source.Duplicate)) {
                int fd = descriptor(file.getKey(), file.getValue(), opened, pipes);
                if (fd < 0) {
                    throw new StageFailure(UmhStage.SOURCE, fd, file.getKey(), nameOf(file.getValue()));
                }
                numbers.put(file.getKey(), fd);
            }
        }
        for (Map.Entry<Integer, Source> file : sources.entrySet()) {
            int source = file.getValue() instanceof Source.Duplicate duplicate ? duplicate.target() : file.getKey();
            plan.descriptor(file.getKey(), Objects.requireNonNull(numbers.get(source)));
        }
    }

    private static @Nullable String nameOf(Source source) {
        return source instanceof Source.Opened file ? Bytes.toString(file.path()) : null;
    }

    private static int descriptor(int target, Source source, OpenedFiles opened, Pipes pipes) {
        if (source instanceof Source.Opened file) {
            return opened.open(file.path(), file.flags(), file.mode());
        }
        if (source instanceof Source.Inherited inherited) {
            return inherited.fd();
        }
        if (source instanceof Source.Piped pipe) {
            return pipe.toJvm() ? pipes.toJvm(target, opened) : pipes.fromJvm(target, opened);
        }
        Object holder = ((Source.Held) source).holder();
        if (holder instanceof Channel channel && !channel.isOpen()) {
            return -Errno.EBADF.number(); // its old number may belong to another file by now
        }
        int fd = OpenedFiles.descriptorOf(holder);
        if (fd == -Errno.EINVAL.number()) {
            throw new IllegalArgumentException(holder.getClass().getName() + " holds no descriptor");
        }
        return fd;
    }
}
