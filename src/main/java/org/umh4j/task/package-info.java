// SPDX-License-Identifier: Apache-2.0

/**
 * The initial state of a helper: {@link org.umh4j.task.Task} and its parts.
 *
 * <p>Each of them is an immutable value. Begin with its {@code defaults()}, and change one attribute at a time; each
 * method returns a changed copy. {@link org.umh4j.task.Session} is the exception: it has one factory for each choice. A
 * part does not know calls, listeners or results.
 *
 * <p>A null argument throws a {@link NullPointerException} with the argument's name. An argument out of range throws an
 * {@link IllegalArgumentException} at once. Attributes of one part that exclude each other throw one when the part is
 * added to a {@link org.umh4j.task.Task}. Parts that exclude each other throw one at the start, since they may be added
 * in any order; so does an attribute that depends on the JVM's ids, or a channel without a descriptor. No program is
 * executed then, the {@code SubprocessInfo} is used up, its cleanup function runs with {@code -ECANCELED}, and
 * listeners are not notified. All values may be shared by threads.
 *
 * <p>In the names of methods, <em>inherit</em> and <em>keep</em> mean the same: the helper has the JVM's attribute.
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
