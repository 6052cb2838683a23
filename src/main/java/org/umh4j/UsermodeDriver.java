// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Blob;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.CallbackThreads;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/**
 * A program that travels inside the caller: part of a Java tool that runs as a process of its own, with two pipes to it
 * and exactly the privileges that it needs.
 *
 * <pre>{@code
 * try (UsermodeDriver driver = UsermodeDriver.load("parser", Tool.class, "parser.elf")
 *         .task(Task.defaults().cred(nobody).sandbox(filter))) {
 *     driver.fork();
 *     driver.pipeToUmh().stream().write(request);
 *     int first = driver.pipeFromUmh().stream().read();
 * }
 * }</pre>
 *
 * <p><b>The program</b> is executed from memory: nobody can write to it, and it is never on a disk. It is an executable
 * that needs nothing but the kernel (a dynamic one is given to its loader), or a script; the interpreter of a script
 * opens it by a descriptor, which stays open in the script's process. Where the host forbids executable memfds it lies in
 * a tmpfs of its own that is mounted nowhere.
 *
 * <p><b>The process</b> reads at descriptor 0 what is written to {@link #pipeToUmh}, and what it writes to descriptor 1
 * comes out of {@link #pipeFromUmh}; nothing else is open in it. Its first argument is its name, its environment is
 * empty, all else is as in an ordinary call, until {@link #task} says otherwise. Its pid is known here before its first
 * instruction.
 *
 * <p>{@link HelperPaths} knows it by its name: a list of allowed paths has to have that, and a program that mediates all
 * calls is executed instead of it.
 *
 * <p><b>Its life</b> ends with the JVM's, however that ends: SIGKILL is sent by the kernel when the JVM is gone, whichever
 * thread has forked it. The kernel forgets about that when the driver changes its own uid or executes a set-user-ID program;
 * end of file at descriptor 0 tells such a driver the same. A JVM that crashes is gone when its core dump is written, if there
 * is to be one. The driver's end is noticed at once: {@link #atExit} runs, once, the
 * pipes say so, whoever else holds them, and it may be forked again. Nothing restarts it unless it is
 * given to a {@link Supervisor}.
 *
 * @implSpec {@code umd_load_blob()}, {@code umd_unload_blob()} and {@code fork_usermode_driver()} of
 *     {@code kernel/usermode_driver.c}, Linux 5.9 to 6.16
 */
public final class UsermodeDriver implements AutoCloseable {
    /** The longest name in bytes; the kernel shows it behind {@code memfd:}. */
    public static final int LONGEST_NAME = 249;

    private final String name;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition forked = lock.newCondition();

    private volatile byte[][] arguments = {};
    private volatile byte[][] environment = {};
    private volatile Task task = Task.defaults();
    private volatile @Nullable CredInit init;
    private volatile Consumer<WaitStatus> atExit = status -> {};

    /** Null when nothing is loaded. All of these change under the lock. */
    private volatile @Nullable Blob blob;

    private @Nullable Thread forking;
    /** The process of the last fork; null before, and while another one is made. */
    private volatile @Nullable Helper helper;

    private volatile long tgid;

    private UsermodeDriver(String name) {
        this.name = name;
    }

    /**
     * A driver without a program, to be loaded by {@link #load(InputStream)}.
     *
     * @param name what it is called: its first argument, and a file's name, so without slash
     */
    public static UsermodeDriver named(String name) {
        int length = Bytes.of(name, "name").length;
        if (length == 0 || length > LONGEST_NAME) {
            throw new IllegalArgumentException("a driver's name has 1 to " + LONGEST_NAME + " bytes, not " + length);
        }
        if (name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("'" + name + "' is no name of a file");
        }
        return new UsermodeDriver(name);
    }

    /**
     * Loads a driver from these bytes.
     *
     * @throws UmhException at {@link UmhStage#BLOB}: {@code ENOEXEC} for none at all, {@code EACCES} where the host
     *     forbids it
     */
    public static UsermodeDriver load(String name, byte[] program) throws IOException {
        return loaded(name, new ByteArrayInputStream(Objects.requireNonNull(program, "program")));
    }

    /**
     * Loads a driver from a file, which may be changed or deleted afterwards.
     *
     * @throws UmhException {@code EACCES} at {@link UmhStage#BLOB} for what is no regular file, as {@code execve(2)} has it: a
     *     FIFO would be waited for
     */
    public static UsermodeDriver load(String name, Path program) throws IOException {
        Objects.requireNonNull(program, "program");
        if (java.nio.file.Files.exists(program) && !java.nio.file.Files.isRegularFile(program)) {
            throw named(name).failed(UmhStage.BLOB, -Errno.EACCES.number());
        }
        try (InputStream in = java.nio.file.Files.newInputStream(program)) {
            return loaded(name, in);
        }
    }

    /** Loads a driver from a resource beside a class, as {@link Class#getResourceAsStream} finds it. */
    public static UsermodeDriver load(String name, Class<?> owner, String resource) throws IOException {
        Objects.requireNonNull(owner, "owner");
        try (InputStream in = owner.getResourceAsStream(Objects.requireNonNull(resource, "resource"))) {
            if (in == null) {
                throw new FileNotFoundException(owner.getName() + " has no resource " + resource);
            }
            return loaded(name, in);
        }
    }

    private static UsermodeDriver loaded(String name, InputStream program) throws IOException {
        UsermodeDriver driver = named(name);
        driver.load(program);
        return driver;
    }

    /**
     * Reads a program to the end of the stream, which is not closed.
     *
     * @throws UmhException {@code EBUSY} when there is one already; else as {@link #load(String, byte[])}
     */
    public void load(InputStream program) throws IOException {
        Objects.requireNonNull(program, "program");
        requireUnloaded();
        Blob.Loaded loaded = Blob.load(Bytes.of(name, "name"), program);
        if (loaded.result() < 0) {
            throw failed(UmhStage.BLOB, loaded.result());
        }
        if (loaded.blob() == null) {
            throw failed(UmhStage.BLOB, -Errno.ENOEXEC.number());
        }
        lock.lock();
        try {
            requireUnloaded();
            blob = loaded.blob();
        } finally {
            if (blob != loaded.blob()) {
                loaded.blob().close();
            }
            lock.unlock();
        }
    }

    private void requireUnloaded() throws UmhException {
        if (isLoaded()) {
            throw failed(UmhStage.BLOB, -Errno.EBUSY.number());
        }
    }

    /** Its arguments behind the name; for the next fork. */
    public UsermodeDriver arguments(String... more) {
        arguments = encoded(Objects.requireNonNull(more, "more"), "arguments");
        return this;
    }

    /** The same with bytes, for names in another encoding than the system's; without their NUL. */
    public UsermodeDriver arguments(List<byte[]> more) {
        arguments = copied(Objects.requireNonNull(more, "more"), "arguments");
        return this;
    }

    /** Its environment, {@code NAME=VALUE} each; for the next fork. */
    public UsermodeDriver environment(String... variables) {
        environment = encoded(Objects.requireNonNull(variables, "variables"), "environment");
        return this;
    }

    /** The same with bytes, for names in another encoding than the system's; without their NUL. */
    public UsermodeDriver environment(List<byte[]> variables) {
        environment = copied(Objects.requireNonNull(variables, "variables"), "environment");
        return this;
    }

    private static byte[][] encoded(String[] strings, String what) {
        return IntStream.range(0, strings.length)
                .mapToObj(i -> Bytes.of(strings[i], what, i))
                .toArray(byte[][]::new);
    }

    private static byte[][] copied(List<byte[]> strings, String what) {
        return IntStream.range(0, strings.size())
                .mapToObj(i -> Bytes.of(strings.get(i), what, i))
                .toArray(byte[][]::new);
    }

    /**
     * Sets what the process is born with from the next fork on: identity, limits, namespaces, more descriptors.
     * Descriptors 0 and 1 are always the two pipes, and the signal at the JVM's end is always SIGKILL.
     */
    public UsermodeDriver task(Task bornWith) {
        task = Objects.requireNonNull(bornWith, "bornWith");
        return this;
    }

    /** Sets a function that decides the credentials at every fork, in the thread that forks; null for none. */
    public UsermodeDriver init(@Nullable CredInit function) {
        init = function;
        return this;
    }

    /**
     * Sets a routine that runs when a process has ended, exactly once for each process of {@link #fork}, however it
     * ended. It runs in a thread of the library, like a dependent stage of {@link Helper#onExit}.
     */
    public UsermodeDriver atExit(Consumer<WaitStatus> routine) {
        atExit = Objects.requireNonNull(routine, "routine");
        return this;
    }

    /** What it is called. */
    public String name() {
        return name;
    }

    /** Whether there is a program. */
    public boolean isLoaded() {
        return blob != null;
    }

    /**
     * Makes the process and returns when its program is in place. The pipes of the one before are closed.
     *
     * @throws UmhException {@code EBUSY} while one runs, {@code EINVAL} when nothing is loaded; else what has kept the
     *     process from being made, and then there is none: {@code ENOEXEC} at {@link UmhStage#EXEC} for a program of another
     *     machine, {@code ENOENT} for a script's missing interpreter
     */
    public void fork() throws UmhException {
        Blob program = beginFork();
        Helper made = null;
        try {
            made = UsermodeHelper.start(call(program));
        } finally {
            endFork(made);
        }
        watch(made, atExit);
    }

    private Blob beginFork() throws UmhException {
        lock.lock();
        try {
            if (forking != null || isRunning()) {
                throw failed(UmhStage.BLOB, -Errno.EBUSY.number());
            }
            if (blob == null) {
                throw failed(UmhStage.BLOB, -Errno.EINVAL.number());
            }
            if (helper != null) {
                helper.close();
            }
            tgid = 0; // before the helper: without one, the pid is believed
            helper = null;
            forking = Thread.currentThread();
            return blob;
        } finally {
            lock.unlock();
        }
    }

    private void endFork(@Nullable Helper made) {
        lock.lock();
        try {
            forking = null;
            helper = made;
            tgid = made == null ? 0 : made.pid();
            forked.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private SubprocessInfo call(Blob program) {
        byte[][] argv = Stream.concat(Stream.of(Bytes.of(name, "name")), Stream.of(arguments))
                .toArray(byte[][]::new);
        SubprocessInfo info = SubprocessInfo.of(program, name, argv, environment);
        Descriptors own = task.descriptors().orElse(Descriptors.none());
        info.task(task.descriptors(own.pipeFromJvm(0).pipeToJvm(1))
                .signals(task.signals().parentDeathSignal(Signal.KILL)));
        info.init(init);
        info.created(pid -> tgid = pid);
        return info;
    }

    /** Its own pipes end with it even if a child of it holds them; only then is the routine told. */
    private void watch(Helper made, Consumer<WaitStatus> routine) {
        made.exitEvent().thenRun(() -> {
            made.pipes().end();
            CallbackThreads.execute(() -> routine.accept(made.status().orElse(WaitStatus.LOST)));
        });
    }

    /** Whether the process lives. */
    public boolean isRunning() {
        Helper current = helper;
        return current != null && current.isAlive();
    }

    /** The process id, in this JVM's pid namespace; 0 while none runs. In a new pid namespace it is known after the fork. */
    public long tgid() {
        Helper current = helper;
        return current == null || current.isAlive() ? tgid : 0;
    }

    /** What is written here the process reads at descriptor 0. Writing fails once it has ended. */
    public PipeWriter pipeToUmh() {
        return writer(0);
    }

    /** What the process writes to descriptor 1. Reading ends once it has ended and all is read. */
    public PipeReader pipeFromUmh() {
        return reader(1);
    }

    /** The pipe to another descriptor, made by {@link org.umh4j.task.Descriptors#pipeFromJvm} in the {@link #task}. */
    public PipeWriter writer(int target) {
        return required().writer(target);
    }

    /** The pipe from another descriptor, made by {@link org.umh4j.task.Descriptors#pipeToJvm} in the {@link #task}. */
    public PipeReader reader(int target) {
        return required().reader(target);
    }

    /** A future that is completed when the process of the last fork has ended, as {@link Helper#onExit}. */
    public CompletableFuture<WaitStatus> onExit() {
        return required().onExit();
    }

    /** How the process of the last fork has ended; empty while it runs. */
    public Optional<WaitStatus> status() {
        return required().status();
    }

    /** Kills the process; false when it has ended. */
    public boolean kill() throws UmhException {
        return kill(Signal.KILL);
    }

    /** Sends the process a signal; false when it has ended. */
    public boolean kill(Signal signal) throws UmhException {
        Objects.requireNonNull(signal, "signal");
        return required().kill(signal);
    }

    /**
     * Kills the process, waits until it is reaped, closes its pipes and frees the program.
     *
     * <p>Waits at most five seconds for a process that hangs in the kernel, which is reaped later. Another one can be loaded.
     *
     * @throws UmhException {@code EINVAL} when nothing is loaded
     */
    public void unload() throws UmhException {
        if (!free()) {
            throw new UmhException(
                    name, UmhStage.BLOB, -Errno.EINVAL.number(), 0); // no helper that failed: nobody is told
        }
    }

    /** Whether there was something to free. */
    private boolean free() {
        lock.lock();
        try {
            awaitFork();
            if (blob == null) {
                return false;
            }
            blob.close();
            blob = null;
            if (helper != null) {
                helper.close();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void awaitFork() {
        if (forking == Thread.currentThread()) {
            throw new IllegalStateException("a driver can't be unloaded by a function that its fork calls");
        }
        while (forking != null) {
            forked.awaitUninterruptibly();
        }
    }

    /** {@link #unload}, if anything is loaded. */
    @Override
    public void close() {
        free();
    }

    /** The process of the last fork. */
    Helper process() {
        return required();
    }

    private Helper required() {
        Helper current = helper;
        if (current == null) {
            throw new IllegalStateException(name + " was not forked");
        }
        return current;
    }

    private UmhException failed(UmhStage stage, int result) {
        return HelperEvents.failed(name, new UmhException(name, stage, result, 0));
    }

    @Override
    public String toString() {
        return "UsermodeDriver[" + name + ", " + (isRunning() ? "tgid " + tgid : isLoaded() ? "loaded" : "not loaded")
                + "]";
    }
}
