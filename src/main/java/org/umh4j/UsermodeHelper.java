// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.KernelDefaults;

/**
 * Starts programs the way the Linux kernel starts its helpers.
 *
 * <pre>{@code
 * int retval = UsermodeHelper.call("/sbin/modprobe", new String[] {"modprobe", "-q", "dummy"},
 *         UsermodeHelper.kernelEnvironment(), UmhWait.PROC);
 * }</pre>
 *
 * <p>Four methods start a program:
 *
 * <ul>
 *   <li>{@link #call} and {@link #exec} return what the kernel's functions return: 0, a raw wait status, or a negative
 *       errno.
 *   <li>{@link #run} waits for the end of the program and returns its status and output.
 *   <li>{@link #start} returns a {@link Helper} while the program runs.
 * </ul>
 *
 * <p>If the start fails, {@link #run} and {@link #start} throw a {@link UmhException} with the failed stage.
 *
 * <p>A helper with the default {@link org.umh4j.task.Task} has: a new session and no terminal, no descriptors, every
 * signal at its default and unblocked, umask 022, nice 0, every CPU, the resource limits of kthreadd, a new empty
 * session keyring, the working directory {@code /}; and the JVM's identity, cgroup and namespaces. None of these
 * depends on the calling thread. Only an optional default that the host refuses does: the helper then has the attribute
 * of the thread that creates it, see {@link org.umh4j.task.Task#allowUnapplied}. {@link #start} and {@link #run} add
 * descriptors 0, 1 and 2; see {@link org.umh4j.task.Descriptors}. {@code docs/differences.md} lists every attribute.
 *
 * <p>The identity is that of {@link org.umh4j.task.Cred#defaults()}: the JVM's ids and groups, and no capability beyond
 * those that {@code execve} computes for these ids.
 *
 * @implSpec {@code call_usermodehelper()} and {@code call_usermodehelper_exec()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class UsermodeHelper {
    private UsermodeHelper() {}

    /**
     * Returns the environment that the kernel gives to modprobe: {@code HOME=/}, {@code TERM=linux} and
     * {@code PATH=/sbin:/usr/sbin:/bin:/usr/bin}. Each call returns a new array.
     */
    public static String[] kernelEnvironment() {
        return KernelDefaults.environment();
    }

    /**
     * Runs a program: {@link SubprocessInfo#of} and {@link #exec} in one call.
     *
     * @return as {@link #exec}
     */
    public static int call(@Nullable String path, String @Nullable [] argv, String @Nullable [] envp, UmhWait wait) {
        return exec(SubprocessInfo.of(path, argv, envp), wait);
    }

    /**
     * Runs a program and waits until the point that {@code wait} names.
     *
     * <p>If several rows apply, the first one counts.
     *
     * <table>
     * <caption>Returned value</caption>
     * <tr><td>path null</td><td>{@code -EINVAL}</td></tr>
     * <tr><td>path not allowed by {@link HelperPaths}</td><td>{@code -EPERM}</td></tr>
     * <tr><td>helpers disabled</td><td>{@code -EBUSY}</td></tr>
     * <tr><td>path {@code ""}</td><td>0; no process is created</td></tr>
     * <tr><td>{@link UmhWait#NO_WAIT}</td><td>0; a later failure is not returned. {@code -EAGAIN} if no thread can be
     *     created for the call</td></tr>
     * <tr><td>init threw an {@link InitException}</td><td>the number of the exception</td></tr>
     * <tr><td>argv null or empty</td><td>{@code -EINVAL}</td></tr>
     * <tr><td>killable, and interrupted before that point</td><td>{@code -EINTR}; a helper that was created continues
     *     to run</td></tr>
     * <tr><td>{@link UmhWait#EXEC}</td><td>0 once {@code execve} has succeeded, else the negative errno</td></tr>
     * <tr><td>{@link UmhWait#PROC}</td><td>the raw wait status ({@code exit 1} is 256, SIGKILL is 9); the negative
     *     errno if the program was not executed; {@code -ECHILD} if the status was lost</td></tr>
     * </table>
     *
     * <p>The cleanup function of the call runs exactly once. It does not run if the call does not begin, because it has
     * pipes or was executed before. It runs before this method returns, with two exceptions. With NO_WAIT it runs when
     * {@code execve} has succeeded or a stage has failed. After the interrupt of a killable caller it runs when the
     * helper has reached the point that {@code wait} names, or a stage has failed.
     *
     * <p>An interrupt does not end a wait that is not killable. The interrupt flag of the caller stays set in both
     * cases.
     *
     * @throws IllegalStateException if {@code info} was executed before
     * @throws IllegalArgumentException if the call has pipes, since their other ends would be unreachable; or if parts
     *     of the task exclude each other
     */
    public static int exec(SubprocessInfo info, UmhWait wait) {
        return Execution.exec(info, wait);
    }

    /**
     * Runs a program with a timeout and returns its status and output.
     *
     * @return as {@link #run(SubprocessInfo, RunOptions)}
     */
    public static RunResult run(SubprocessInfo info, Duration timeout) throws IOException, InterruptedException {
        return run(info, RunOptions.defaults().timeout(timeout));
    }

    /**
     * Runs a program to its end and returns its status and output.
     *
     * <p>An input in {@code options} replaces descriptor 0 of the task. Otherwise a descriptor 0, 1 or 2 of the task
     * stays; if the task has none, descriptor 0 is {@code /dev/null}, and 1 and 2 are pipes into the result. A pipe
     * that the task has at descriptor 0 is at its end at once if {@code options} has no input.
     *
     * <p>When the timeout expires, the processes in the {@link org.umh4j.task.Task#scope scope} of the task are sent
     * SIGTERM, and after the grace period SIGKILL. With the scope of a cgroup SIGTERM is sent to the helper alone,
     * since only SIGKILL can be sent to a cgroup. Another process that holds the output pipes open, such as a daemon
     * that the helper has started, does not delay the result.
     *
     * <p>The cleanup function of the call runs when {@code execve} has succeeded, or the start has failed.
     *
     * @throws UmhException if the program could not be started; for an empty path at
     *     {@link org.umh4j.linux.UmhStage#SETUP} with {@code ENOENT}, while helpers are disabled at
     *     {@link org.umh4j.linux.UmhStage#DISABLED} with {@code EBUSY}
     * @throws HelperTimeoutException if the timeout expired; with the output until then
     * @throws HelperFailedException if the end of the helper could not be awaited, for instance because the kernel
     *     refuses to signal it; with the output until then. An exit code other than 0 is a normal result;
     *     {@link RunResult#requireSuccess} turns it into this exception
     * @throws InterruptedException if the caller is interrupted; SIGKILL has been sent to the processes in the scope,
     *     and the output is lost
     * @throws IllegalStateException if {@code info} was executed before
     * @throws IllegalArgumentException if the call has pipes beyond 0, 1 and 2, since their other ends would be
     *     unreachable; if the task has the scope CGROUP and no cgroup path; or if parts of the task exclude each other
     */
    public static RunResult run(SubprocessInfo info, RunOptions options) throws IOException, InterruptedException {
        return HelperRun.run(info, options);
    }

    /**
     * Starts a program and returns when {@code execve} has succeeded, as {@link UmhWait#EXEC} does.
     *
     * <p>The cleanup function of the call has run when this method returns. An interrupt does not end the wait.
     *
     * @throws UmhException if the program could not be started. For an empty path, for which {@link #exec} returns 0,
     *     the stage is {@link org.umh4j.linux.UmhStage#SETUP} and the errno {@code ENOENT}; while helpers are disabled
     *     they are {@link org.umh4j.linux.UmhStage#DISABLED} and {@code EBUSY}
     * @throws IllegalStateException if {@code info} was executed before
     * @throws IllegalArgumentException if the task has the scope CGROUP and no cgroup path, or if parts of the task
     *     exclude each other
     */
    public static Helper start(SubprocessInfo info) throws UmhException {
        return Execution.start(info);
    }

    /**
     * Adds a listener. It is notified of each helper that is started from now on, until it is removed. A listener
     * that is added twice is notified twice.
     */
    public static void addListener(HelperListener listener) {
        HelperEvents.add(listener);
    }

    /**
     * Removes a listener. It receives no further notification, not even the exit of a helper whose start it was
     * notified of. A notification that is being delivered at the moment continues.
     *
     * @return whether the listener was registered
     */
    public static boolean removeListener(HelperListener listener) {
        return HelperEvents.remove(Objects.requireNonNull(listener, "listener"));
    }
}
