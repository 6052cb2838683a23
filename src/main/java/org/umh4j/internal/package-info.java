// SPDX-License-Identifier: Apache-2.0

/**
 * Native methods, their loading, the reaper, pipes, plans. Not exported: nothing here is for users.
 *
 * <p>Packages {@code org.umh4j} and {@code org.umh4j.task} import this one. It imports {@code org.umh4j.linux} alone.
 */
@NullMarked
package org.umh4j.internal;

import org.jspecify.annotations.NullMarked;
