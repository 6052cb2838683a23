// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
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
 * A helper whose program is bytes in the caller's memory, such as a resource of its jar. It runs as a separate
 * process with the privileges of its {@link Task}, and two pipes connect it to the JVM.
 *
 * <pre>{@code
 * try (UsermodeDriver driver = UsermodeDriver.load("parser", Tool.class, "parser.elf")
 *         .task(Task.defaults().cred(unprivileged).sandbox(filter))) {
 *     driver.fork();
 *     driver.pipeToUmh().stream().write(request);
 *     int first = driver.pipeFromUmh().stream().read();
 * }
 * }</pre>
 *
 * <p><b>The program</b> is executed from a sealed memfd: no process can write to it, and it is never on a disk. It is
 * an executable (a dynamic one is passed to its loader) or a script. The interpreter of a script opens it by a
 * descriptor, which stays open in the script's process. If the host forbids executable memfds, the program is a file
 * in a private tmpfs that is mounted nowhere.
 *
 * <p><b>The process</b> reads the bytes of {@link #pipeToUmh} at descriptor 0 and writes to {@link #pipeFromUmh} at
 * descriptor 1. No other descriptor is open in it, except that of a script's program and those of the {@link #task};
 * see {@link Descriptors}. Its first argument is its name, and its environment is empty. All other attributes are those
 * of an ordinary call. {@link #task}, {@link #arguments} and {@link #environment} change them. The JVM knows the pid
 * before the first instruction of the program.
 *
 * <p>Several names are the kernel's, which calls the driver's process umh, a user mode helper. {@link #pipeToUmh} is
 * its standard input and {@link #pipeFromUmh} its standard output; {@link #tgid} is its process id; {@link #fork}
 * creates the process and executes the program; {@link #atExit} is a routine of the JVM for the end of the process, not
 * {@code atexit(3)}.
 *
 * <p>The setters {@link #arguments}, {@link #environment}, {@link #task}, {@link #init} and {@link #atExit} may be
 * called at any time, apply from the next fork on, and replace the earlier value. The methods for pipes, signals and
 * the end throw an {@link IllegalStateException} before the first fork, during a fork, and after a fork that has
 * failed.
 *
 * <p>{@link HelperPaths} compares the name of the driver in place of a path: {@link HelperPaths#allowOnly} must list
 * it, and the program of {@link HelperPaths#redirectAllTo} is executed instead of the driver.
 *
 * <p><b>Its end.</b> The kernel sends the driver SIGKILL when the JVM ends, for any reason and whichever thread has
 * called {@link #fork}. A JVM that crashes ends after its core dump is written. The kernel clears that signal in the
 * cases that {@link org.umh4j.task.SignalState#parentDeathSignal} lists; such a driver must exit at end of file of
 * descriptor 0. When the driver ends, {@link #atExit} runs once, the pipes are at their end even if other processes
 * hold them, and {@link #fork} may be called again. A driver alone is not restarted; use a {@link Supervisor}.
 *
 * @implSpec {@code umd_load_blob()}, {@code umd_unload_blob()} and {@code fork_usermode_driver()} of
 *     {@code kernel/usermode_driver.c}, Linux 5.9 to 6.16
 */
public final class UsermodeDriver implements AutoCloseable {
    /** The largest length of a name in bytes: that of {@code memfd_create(2)}. */
    public static final int MAX_NAME_BYTES = 249;

    private final String name;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition forkEnded = lock.newCondition();

    private volatile byte[][] arguments = {};
    private volatile byte[][] environment = {};
    private volatile Task task = Task.defaults();
    private volatile @Nullable CredInit init;
    private volatile Consumer<WaitStatus> atExit = status -> {};

    // The following fields are changed with the lock held.
    /** The program; null if none is loaded. */
    private volatile @Nullable Blob blob;

    private @Nullable Thread forkingThread;
    /** The process of the last fork; null before the first fork, and during a fork. */
    private volatile @Nullable Helper helper;

    private volatile long tgid;

    private UsermodeDriver(String name) {
        this.name = name;
    }

    /**
     * Creates a driver without a program. {@link #load(InputStream)} loads one.
     *
     * @param name the first argument of the process and the name of the memfd: 1 to {@link #MAX_NAME_BYTES} bytes,
     *     without a slash, and neither {@code .} nor {@code ..}
     * @throws IllegalArgumentException for another name
     */
    public static UsermodeDriver named(String name) {
        int length = Bytes.of(name, "name").length;
        if (length == 0 || length > MAX_NAME_BYTES) {
            throw new IllegalArgumentException(
                    "the name has " + length + " bytes; it must have 1 to " + MAX_NAME_BYTES);
        }
        if (name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException(
                    "the name '" + name + "' is not the name of a file: it has a slash, or is '.' or '..'");
        }
        return new UsermodeDriver(name);
    }

    /**
     * Creates a driver from the bytes of an executable or a script.
     *
     * @throws UmhException at {@link UmhStage#BLOB}: {@code ENOEXEC} for an empty program, {@code EACCES} if the host
     *     forbids executable memfds and the JVM can't mount a tmpfs
     */
    public static UsermodeDriver load(String name, byte[] program) throws IOException {
        return loaded(name, new ByteArrayInputStream(Objects.requireNonNull(program, "program")));
    }

    /**
     * Creates a driver from a file. The file may be changed or deleted when this method has returned.
     *
     * @throws UmhException as {@link #load(String, byte[])}; also {@code EACCES} if the path is not a regular file,
     *     as from {@code execve(2)}
     */
    public static UsermodeDriver load(String name, Path program) throws IOException {
        Objects.requireNonNull(program, "program");
        if (Files.exists(program) && !Files.isRegularFile(program)) {
            throw named(name).failed(UmhStage.BLOB, -Errno.EACCES.number());
        }
        try (InputStream in = Files.newInputStream(program)) {
            return loaded(name, in);
        }
    }

    /**
     * Creates a driver from a resource next to a class, as {@link Class#getResourceAsStream} finds it.
     *
     * @throws UmhException as {@link #load(String, byte[])}
     * @throws FileNotFoundException if there is no such resource
     */
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
     * Loads the program from a stream. The stream is read to its end and not closed.
     *
     * @throws UmhException {@code EBUSY} if a program is loaded already; else as {@link #load(String, byte[])}
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

    /** Sets the arguments that follow the name, from the next fork on. */
    public UsermodeDriver arguments(String... strings) {
        arguments = Bytes.ofAll(Objects.requireNonNull(strings, "strings"), "arguments");
        return this;
    }

    /** Sets the arguments as bytes, for strings in another encoding than the system's. A NUL must not be included. */
    public UsermodeDriver arguments(List<byte[]> strings) {
        arguments = Bytes.ofAll(Objects.requireNonNull(strings, "strings").toArray(byte[][]::new), "arguments");
        return this;
    }

    /** Sets the environment, each element as {@code NAME=VALUE}, from the next fork on. The default is empty. */
    public UsermodeDriver environment(String... variables) {
        environment = Bytes.ofAll(Objects.requireNonNull(variables, "variables"), "environment");
        return this;
    }

    /** Sets the environment as bytes, for strings in another encoding than the system's. A NUL must not be included. */
    public UsermodeDriver environment(List<byte[]> variables) {
        environment = Bytes.ofAll(Objects.requireNonNull(variables, "variables").toArray(byte[][]::new), "environment");
        return this;
    }

    /**
     * Sets the state that the process is born with from the next fork on: identity, limits, namespaces, more
     * descriptors. Descriptors 0 and 1 are always the two pipes: they replace a descriptor 0 or 1 of the task without
     * an error. The parent death signal is always SIGKILL and replaces that of the task.
     */
    public UsermodeDriver task(Task state) {
        task = Objects.requireNonNull(state, "state");
        return this;
    }

    /**
     * Sets a function that decides the credentials at every fork. It runs in the thread that forks. Null is no
     * function.
     */
    public UsermodeDriver init(@Nullable CredInit function) {
        init = function;
        return this;
    }

    /**
     * Sets a routine that runs exactly once at the end of each process of {@link #fork}. It runs in a thread of the
     * library, like a dependent function of {@link Helper#onExit}; an exception is logged. It applies from the next
     * fork on.
     */
    public UsermodeDriver atExit(Consumer<WaitStatus> routine) {
        atExit = Objects.requireNonNull(routine, "routine");
        return this;
    }

    /** Returns the name of the driver. */
    public String name() {
        return name;
    }

    /** Returns whether a program is loaded. */
    public boolean isLoaded() {
        return blob != null;
    }

    /**
     * Creates the process and returns when {@code execve} has succeeded. The pipes of the previous process are closed.
     *
     * @throws UmhException at {@link UmhStage#BLOB}: {@code EBUSY} while a process of the driver runs, {@code EINVAL}
     *     if no program is loaded. At other stages as {@link UsermodeHelper#start}; for instance at
     *     {@link UmhStage#EXEC}: {@code ENOEXEC} for a program of another architecture, {@code ENOENT} if the
     *     interpreter of a script is missing
     * @throws IllegalArgumentException if parts of the task exclude each other, or it has the scope CGROUP and no
     *     cgroup path
     */
    public void fork() throws UmhException {
        Blob program = beginFork();
        Helper started = null;
        try {
            started = UsermodeHelper.start(call(program));
        } finally {
            endFork(started);
        }
        watch(started, atExit);
    }

    private Blob beginFork() throws UmhException {
        lock.lock();
        try {
            if (forkingThread != null || isRunning()) {
                throw failed(UmhStage.BLOB, -Errno.EBUSY.number());
            }
            if (blob == null) {
                throw failed(UmhStage.BLOB, -Errno.EINVAL.number());
            }
            if (helper != null) {
                helper.close();
            }
            tgid = 0; // before the helper, since tgid() trusts this field while there is no helper
            helper = null;
            forkingThread = Thread.currentThread();
            return blob;
        } finally {
            lock.unlock();
        }
    }

    private void endFork(@Nullable Helper started) {
        lock.lock();
        try {
            forkingThread = null;
            helper = started;
            tgid = started == null ? 0 : started.pid();
            forkEnded.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private SubprocessInfo call(Blob program) {
        byte[][] argv = Stream.concat(Stream.of(Bytes.of(name, "name")), Stream.of(arguments))
                .toArray(byte[][]::new);
        SubprocessInfo info = SubprocessInfo.of(program, name, argv, environment);
        Descriptors ofTask = task.descriptors().orElse(Descriptors.none());
        info.task(task.descriptors(ofTask.pipeFromJvm(0).pipeToJvm(1))
                .signals(task.signals().parentDeathSignal(Signal.KILL)));
        info.init(init);
        info.onCreated(pid -> tgid = pid);
        return info;
    }

    /** Ends the pipes at the exit, even if another process holds them, and runs the exit routine after that. */
    private static void watch(Helper started, Consumer<WaitStatus> routine) {
        started.exitEvent().thenRun(() -> {
            started.pipes().endStreams();
            CallbackThreads.execute(() -> routine.accept(started.status().orElse(WaitStatus.LOST)));
        });
    }

    /** Returns whether the process is alive. */
    public boolean isRunning() {
        Helper current = helper;
        return current != null && current.isAlive();
    }

    /**
     * Returns the process id in the JVM's pid namespace; 0 while no process runs. The pid of a driver in a new pid
     * namespace is known when {@link #fork} has returned, that of others before the first instruction of the program.
     */
    public long tgid() {
        Helper current = helper;
        return current == null || current.isAlive() ? tgid : 0;
    }

    /**
     * Returns the pipe to descriptor 0 of the process. A write fails after the end of the process.
     *
     * @throws IllegalStateException if there was no successful fork
     */
    public PipeWriter pipeToUmh() {
        return writer(0);
    }

    /**
     * Returns the pipe from descriptor 1 of the process. It is at its end when the process has ended and all bytes
     * are read.
     *
     * @throws IllegalStateException if there was no successful fork
     */
    public PipeReader pipeFromUmh() {
        return reader(1);
    }

    /**
     * Returns the pipe to another descriptor, which {@link Descriptors#pipeFromJvm} in the {@link #task} has made.
     *
     * @throws java.util.NoSuchElementException if the descriptor is not such a pipe
     * @throws IllegalStateException if there was no successful fork
     */
    public PipeWriter writer(int descriptor) {
        return required().writer(descriptor);
    }

    /**
     * Returns the pipe from another descriptor, which {@link Descriptors#pipeToJvm} in the {@link #task} has made.
     *
     * @throws java.util.NoSuchElementException if the descriptor is not such a pipe
     * @throws IllegalStateException if there was no successful fork
     */
    public PipeReader reader(int descriptor) {
        return required().reader(descriptor);
    }

    /** Returns a future that completes at the end of the process of the last fork, as {@link Helper#onExit} does. */
    public CompletableFuture<WaitStatus> onExit() {
        return required().onExit();
    }

    /** Returns the exit status of the process of the last fork; empty while it runs. */
    public Optional<WaitStatus> status() {
        return required().status();
    }

    /**
     * Kills the process.
     *
     * @return as {@link Helper#kill(Signal)}
     */
    public boolean kill() throws UmhException {
        return kill(Signal.KILL);
    }

    /**
     * Sends a signal to the process.
     *
     * @return as {@link Helper#kill(Signal)}
     */
    public boolean kill(Signal signal) throws UmhException {
        Objects.requireNonNull(signal, "signal");
        return required().kill(signal);
    }

    /**
     * Kills the process, waits until it is reaped, closes its pipes and frees the program. Another program can be
     * loaded after that.
     *
     * <p>The wait ends after five seconds for a process that hangs in the kernel; it is reaped later.
     *
     * @throws UmhException {@code EINVAL} at {@link UmhStage#BLOB} if no program is loaded
     * @throws IllegalStateException if the init function of this driver calls this method
     */
    public void unload() throws UmhException {
        if (!free()) {
            // No helper has failed, so listeners are not notified.
            throw new UmhException(name, UmhStage.BLOB, -Errno.EINVAL.number(), 0);
        }
    }

    /** Frees the program; false if none was loaded. */
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
        if (forkingThread == Thread.currentThread()) {
            throw new IllegalStateException(
                    "unload and close must not be called by the init function of the same driver");
        }
        while (forkingThread != null) {
            forkEnded.awaitUninterruptibly();
        }
    }

    /**
     * Unloads the driver as {@link #unload} does. Without a program it does nothing.
     *
     * @throws IllegalStateException if the init function of this driver calls this method
     */
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
            throw new IllegalStateException("driver " + name + " has no process; call fork() first");
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
