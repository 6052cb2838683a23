// SPDX-License-Identifier: Apache-2.0

/**
 * The Linux kernel's usermode helper, for the JVM.
 *
 * <p>{@link org.umh4j.UsermodeHelper} is where to begin: {@code call} and {@code exec} answer as the kernel's functions
 * do, {@code start} gives a live {@link org.umh4j.Helper}. {@link org.umh4j.SubprocessInfo} says what to run,
 * {@link org.umh4j.UmhWait} how long to wait, {@link org.umh4j.UmhSysctl} what no helper may have,
 * {@link org.umh4j.HelperGate} whether helpers may be started at all. {@link org.umh4j.UsermodeDriver} is a helper whose
 * program travels inside the caller. {@link org.umh4j.HelperListener} is told of them all.
 *
 * <p>What holds everywhere, said once:
 *
 * <ul>
 *   <li><b>Priorities.</b> The kernel's semantics come before safety, safety before smallness, smallness before Java
 *       idiom. Where one of them yields, {@code docs/differences.md} says why.
 *   <li><b>Null.</b> An argument that is null throws {@link java.lang.NullPointerException}, unless its method gives
 *       null a meaning; a method that may answer null says so.
 *   <li><b>Errors.</b> A caller's mistake is an unchecked exception that names the argument and its limit, thrown
 *       before anything is created. What the kernel refuses is a negative errno, or a {@link org.umh4j.UmhException}
 *       with the stage and the errno; nothing of the attempt is left then. If the native library can't be loaded, every
 *       method that needs it throws an {@link java.lang.UnsatisfiedLinkError} with the same message: the reason, and
 *       what to do.
 *   <li><b>Threads.</b> Every method may be called from any thread, virtual ones included, at any time. Values are
 *       immutable. A {@code SubprocessInfo} belongs to one thread until it is executed.
 *   <li><b>Callbacks.</b> No lock is held while a callback runs, and none runs in the thread that notices exits.
 *   <li><b>Units.</b> Times are {@link java.time.Duration}s, sizes bytes, modes octal as in {@code chmod(2)}.
 * </ul>
 */
@NullMarked
package org.umh4j;

import org.jspecify.annotations.NullMarked;
