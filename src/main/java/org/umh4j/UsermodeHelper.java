// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Starts programs the way the Linux kernel starts its helpers.
 *
 * <p>{@link #call} and {@link #exec} return what the kernel's functions return: 0, a raw wait status, or a negative
 * errno. {@link #start} is for programs that go on living: it answers a {@link Helper}, or throws a
 * {@link UmhException} that names the stage.
 *
 * <pre>{@code
 * int retval = UsermodeHelper.call("/sbin/modprobe", new String[] {"modprobe", "-q", "dummy"},
 *         UsermodeHelper.kernelEnvironment(), UmhWait.PROC);
 * }</pre>
 *
 * <p>What a helper is born with unless something else is asked for: its own session and no terminal, no descriptors,
 * all signals at their default and unblocked, umask 022, nice 0, every cpu, kthreadd's resource limits, a new empty
 * session keyring, working directory {@code /}; the JVM's identity, cgroup and namespaces. Nothing of it depends on the
 * thread that calls. {@code docs/differences.md} lists every attribute.
 *
 * <p>All methods may be called from any thread at any time, virtual ones included.
 *
 * @implSpec {@code call_usermodehelper()} and {@code call_usermodehelper_exec()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class UsermodeHelper {
    private static final String[] ENVIRONMENT = {"HOME=/", "TERM=linux", "PATH=/sbin:/usr/sbin:/bin:/usr/bin"};

    private UsermodeHelper() {}

    /** The environment that the kernel gives to modprobe: {@code HOME=/}, {@code TERM=linux} and a {@code PATH}. */
    public static String[] kernelEnvironment() {
        return ENVIRONMENT.clone();
    }

    /**
     * Runs a program and waits as long as {@code wait} says; {@link SubprocessInfo#of} and {@link #exec} in one.
     *
     * @return as {@link #exec}
     */
    public static int call(@Nullable String path, String @Nullable [] argv, String @Nullable [] envp, UmhWait wait) {
        return exec(SubprocessInfo.of(path, argv, envp), wait);
    }

    /**
     * Runs a program and waits as long as {@code wait} says.
     *
     * <table>
     * <caption>What it returns</caption>
     * <tr><td>path null</td><td>{@code -EINVAL}</td></tr>
     * <tr><td>helpers disabled</td><td>{@code -EBUSY}</td></tr>
     * <tr><td>path {@code ""}</td><td>0; nothing is started</td></tr>
     * <tr><td>init refused</td><td>its number</td></tr>
     * <tr><td>{@link UmhWait#NO_WAIT}</td><td>0, whatever happens later</td></tr>
     * <tr><td>{@link UmhWait#EXEC}</td><td>0 once the program is in place, else the negative errno</td></tr>
     * <tr><td>{@link UmhWait#PROC}</td><td>the raw wait status ({@code exit 1} is 256, SIGKILL is 9); the negative errno
     *     if it never ran; {@code -ECHILD} if the status was lost</td></tr>
     * <tr><td>killable, and interrupted</td><td>{@code -EINTR}; the helper runs on</td></tr>
     * </table>
     *
     * <p>In every case the call's cleanup runs exactly once: before this method returns, but for NO_WAIT and for an
     * interrupted killable caller, where it runs when the helper has come as far as it was to be waited for.
     *
     * <p>An interrupt never ends a wait that is not killable. Either way the caller's interrupt flag stays set.
     *
     * @throws IllegalStateException if {@code info} was executed before
     */
    public static int exec(SubprocessInfo info, UmhWait wait) {
        return Execution.exec(info, wait);
    }

    /**
     * Runs a program to its end, or to the end of a timeout, and answers its status and output.
     *
     * @return as {@link #run(SubprocessInfo, RunOptions)}
     */
    public static RunResult run(SubprocessInfo info, Duration timeout) throws IOException, InterruptedException {
        return run(info, RunOptions.defaults().timeout(timeout));
    }

    /**
     * Runs a program to its end and answers its status and output.
     *
     * <p>Descriptors 0 to 2 that the call says nothing of are what {@code options} says; the call's own stay, and a pipe of its
     * own at 0 is at its end when {@code options} has no input for it. A helper that takes too long gets SIGTERM, and after the
     * grace SIGKILL, as far as the call's {@link SubprocessInfo#scope} reaches (a cgroup by SIGKILL alone). Somebody else who
     * holds its output open, such as a daemon that it has started, delays nothing.
     *
     * @throws UmhException if it could not be started
     * @throws HelperTimeoutException if it took too long; with the output until then
     * @throws HelperFailedException if it could not be followed to its end, as when the kernel refuses to signal it; with the
     *     output until then. Another exit code than 0 is a result: {@link RunResult#requireSuccess} makes a failure of it
     * @throws InterruptedException if the caller is interrupted; the helper has been killed then
     * @throws IllegalArgumentException if the call has pipes beyond 0, 1 and 2, whose other end nobody would have
     */
    public static RunResult run(SubprocessInfo info, RunOptions options) throws IOException, InterruptedException {
        return HelperRun.run(info, options);
    }

    /**
     * Starts a program and returns when it is in place, as {@link UmhWait#EXEC} does.
     *
     * <p>The call's cleanup has run when this returns. Not interruptible: the wait ends when the kernel has read the
     * program.
     *
     * @throws UmhException if it could not be started; also for an empty path, which {@link #exec} takes for a no-op
     */
    public static Helper start(SubprocessInfo info) throws UmhException {
        return Execution.start(info);
    }

    /**
     * Has a listener told of each helper that is started from now on, until it is removed or the JVM ends. One that is added
     * twice is told twice.
     *
     * @throws NullPointerException if there is none
     */
    public static void addListener(HelperListener listener) {
        HelperEvents.add(listener);
    }

    /**
     * Has a listener told nothing more, not even of helpers that it knows of. A call to it that is under way goes on.
     *
     * @return whether it had been added, and not been removed since
     */
    public static boolean removeListener(HelperListener listener) {
        return Audience.remove(Objects.requireNonNull(listener, "listener"));
    }
}
