// SPDX-License-Identifier: Apache-2.0

/**
 * The Linux kernel's usermode helper, for the JVM.
 *
 * <p>{@link org.umh4j.UsermodeHelper} is the entry point: {@code call} and {@code exec} return what the kernel's
 * functions return, {@code start} returns a live {@link org.umh4j.Helper}, {@code run} returns the output of a helper
 * that has ended. The other classes, by task:
 *
 * <ul>
 *   <li>{@link org.umh4j.SubprocessInfo} describes one call: program, arguments, environment, and the
 *       {@link org.umh4j.task.Task} that the helper is born with. {@link org.umh4j.UmhWait} sets how long the call
 *       waits.
 *   <li>{@link org.umh4j.Pipeline} connects several helpers by pipes. {@link org.umh4j.HelperQueue} bounds the number
 *       of helpers that run at the same time.
 *   <li>{@link org.umh4j.UsermodeDriver} is a helper whose program is bytes in the caller's memory;
 *       {@link org.umh4j.Mailbox} exchanges requests and replies with it, {@link org.umh4j.Supervisor} restarts it
 *       after the pauses of a {@link org.umh4j.RestartBackoff}.
 *   <li>{@link org.umh4j.UmhSysctl} limits the capabilities of all helpers, {@link org.umh4j.HelperPaths} the programs
 *       that may be started, {@link org.umh4j.HelperGate} disables all starts for a while.
 *   <li>{@link org.umh4j.HelperListener} is notified of each start, failure and exit.
 *   <li>{@link org.umh4j.HostFeature} and {@link org.umh4j.JvmPrivileges} report the features of the kernel and the
 *       privileges that are available; {@link org.umh4j.HelperProbe} reports the state that a helper is born with.
 * </ul>
 *
 * <p>Terms: A <em>call</em> is the execution of one {@link org.umh4j.SubprocessInfo}. A <em>start</em> is the part of a
 * call until {@code execve} has succeeded; {@code call}, {@code exec}, {@code start}, {@code run}, pipelines and
 * drivers all start a helper in the same way. The <em>host</em> is the kernel with its security modules, the seccomp
 * filters of the JVM, and the configuration of its container. The <em>launcher</em> is the small program that sets the
 * helper's attributes and then executes the helper's program in the same process. A <em>stage</em> is one step of a
 * start, a constant of {@link org.umh4j.linux.UmhStage}. In the names of classes, {@code Umh} and {@code Usermode} mark
 * a counterpart of the kernel's interface, {@code Helper} an addition of this library.
 *
 * <p>The following rules hold for every method and are not repeated there:
 *
 * <ul>
 *   <li><b>Semantics.</b> They are the kernel's. {@code docs/differences.md} lists each deviation and its reason.
 *   <li><b>Null.</b> A null argument throws {@link java.lang.NullPointerException}, unless the parameter is
 *       {@link org.jspecify.annotations.Nullable}. A method that may return null has the same annotation.
 *   <li><b>Errors.</b> A caller's mistake throws an unchecked exception that names the argument and its limit, before
 *       anything is created. Where the kernel's function has an errno for the mistake, that errno is reported instead:
 *       {@code EINVAL} for a null path, {@code EBUSY} and {@code EINVAL} of {@link org.umh4j.UsermodeDriver} for a
 *       second {@code fork}, {@code load} or {@code unload}. An error of the kernel is a negative errno, or a
 *       {@link org.umh4j.UmhException} with the stage and the errno; no process and no descriptor of the attempt
 *       remains. If the native library can't be loaded, every method that needs it throws an
 *       {@link java.lang.UnsatisfiedLinkError}. Its message is the same each time: the reason, and the remedy.
 *   <li><b>Threads.</b> Every method may be called from any thread, virtual threads included, at any time. Values are
 *       immutable. There are two exceptions: one thread at a time may set up a {@code SubprocessInfo} or use a
 *       {@link org.umh4j.RestartBackoff}.
 *   <li><b>Callbacks.</b> A callback runs without any lock held, and never in the thread that reaps helpers. It may
 *       block; each callback that blocks costs a thread. An exception of an init or cleanup function is thrown by the
 *       method that runs the function: {@code exec}, {@code start}, {@code run}, {@code fork}. An init function that
 *       returns null causes a {@code NullPointerException}. If init throws an unchecked exception, no program is
 *       executed, cleanup runs with the result {@code -ECANCELED}, and neither
 *       {@link org.umh4j.SubprocessInfo#failure} nor a listener has a failure. If cleanup throws, the result is lost;
 *       {@code start} and {@code run} kill the helper. An exception that is thrown in a thread of the
 *       library is logged to the {@link java.lang.System.Logger} {@code org.umh4j} and has no other effect: of the
 *       functions of a {@link org.umh4j.UmhWait#NO_WAIT} call, {@link org.umh4j.UsermodeDriver#atExit},
 *       {@link org.umh4j.HelperListener} and {@link org.umh4j.Supervisor#listener}. A dependent function of a future
 *       completes the dependent future with its exception.
 *   <li><b>Units.</b> Times are {@link java.time.Duration}s, sizes are bytes, modes are octal as in {@code chmod(2)}.
 * </ul>
 *
 * <p>This package may use the packages {@code task}, {@code linux} and {@code internal}; of this library, only the
 * command line uses this package.
 */
@NullMarked
package org.umh4j;

import org.jspecify.annotations.NullMarked;
