// SPDX-License-Identifier: Apache-2.0

/**
 * The kernel's constants and small values: errno, signals, capabilities, limits, namespaces, wait statuses, stages.
 *
 * <p>Every other package of this library may import this one. It imports none of them and has no native code, so it can
 * be used where the native library can't be loaded. The only files that it reads are below {@code /proc}.
 */
@NullMarked
package org.umh4j.linux;

import org.jspecify.annotations.NullMarked;
