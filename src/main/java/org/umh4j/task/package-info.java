// SPDX-License-Identifier: Apache-2.0

/**
 * The initial state of a helper: {@link org.umh4j.task.Task} and its parts.
 *
 * <p>Each of them is an immutable value. Begin with its {@code defaults()}, and change one attribute at a time; each
 * method returns a changed copy. A part does not know calls, listeners or results. {@code PlanWriter} writes all parts
 * as one plan for the launcher.
 *
 * <p>A null argument throws a {@link NullPointerException} with the argument's name. An argument out of range throws an
 * {@link IllegalArgumentException} at once. All values may be shared by threads.
 *
 * <p>Strings and paths are passed to the kernel in the encoding from which the JVM decodes them
 * ({@code sun.jnu.encoding}). A NUL, or a character that the encoding lacks, throws an
 * {@link IllegalArgumentException}. The overloads with {@code byte[]} pass any other name.
 *
 * <p>Packages {@code org.umh4j} and {@code org.umh4j.cli} import this one. It imports {@code org.umh4j.linux} and
 * {@code org.umh4j.internal}.
 */
@NullMarked
package org.umh4j.task;

import org.jspecify.annotations.NullMarked;
