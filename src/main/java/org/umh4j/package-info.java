// SPDX-License-Identifier: Apache-2.0

/**
 * The Linux kernel's usermode helper, for the JVM.
 *
 * <p>{@link org.umh4j.UsermodeHelper} is the entry point: {@code call} and {@code exec} return what the kernel's
 * functions return, {@code start} returns a live {@link org.umh4j.Helper}, {@code run} returns the output of a helper
 * that has ended. The other classes, by task:
 *
 * <ul>
 *   <li>{@link org.umh4j.SubprocessInfo} is one call: program, arguments, environment, and the
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
 * <p>The following rules hold for every method and are not repeated there:
 *
 * <ul>
 *   <li><b>Priorities.</b> The kernel's semantics come before safety, safety before smallness, smallness before Java
 *       idiom. {@code docs/differences.md} lists each deviation from the kernel and its reason.
 *   <li><b>Null.</b> A null argument throws {@link java.lang.NullPointerException}, unless the parameter is
 *       {@link org.jspecify.annotations.Nullable}. A method that may return null has the same annotation.
 *   <li><b>Errors.</b> A caller's mistake throws an unchecked exception that names the argument and its limit, before
 *       anything is created. An error of the kernel is a negative errno, or a {@link org.umh4j.UmhException} with the
 *       stage and the errno; no process and no descriptor of the attempt remains. If the native library can't be
 *       loaded, every method that needs it throws an {@link java.lang.UnsatisfiedLinkError}. Its message is the same
 *       each time: the reason, and the remedy.
 *   <li><b>Threads.</b> Every method may be called from any thread, virtual threads included, at any time. Values are
 *       immutable. A {@code SubprocessInfo} must be used by one thread until it is executed.
 *   <li><b>Callbacks.</b> A callback runs without any lock held, and never in the thread that notices exits.
 *   <li><b>Units.</b> Times are {@link java.time.Duration}s, sizes are bytes, modes are octal as in {@code chmod(2)}.
 * </ul>
 *
 * <p>This package may use the packages {@code task}, {@code linux} and {@code internal}; of this library, only the
 * command line uses this package.
 */
@NullMarked
package org.umh4j;

import org.jspecify.annotations.NullMarked;
