// SPDX-License-Identifier: Apache-2.0

/**
 * Native methods and their loading, the reaper, pipes, and the encoding of plans. Not exported.
 *
 * <p>Packages {@code org.umh4j} and {@code org.umh4j.task} import this one. It imports only {@code org.umh4j.linux}.
 */
@NullMarked
package org.umh4j.internal;

import org.jspecify.annotations.NullMarked;
