// SPDX-License-Identifier: Apache-2.0

/**
 * The command line {@code umh}. It reaches the library by its public packages alone, as any other program does.
 *
 * <p>No package imports this one.
 */
@NullMarked
package org.umh4j.cli;

import org.jspecify.annotations.NullMarked;
