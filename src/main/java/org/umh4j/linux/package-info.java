// SPDX-License-Identifier: Apache-2.0

/**
 * Constants and small values of the Linux kernel: errno, signals, capabilities, resource limits, namespaces, wait
 * statuses, and the stages of a start.
 *
 * <p>Every other package of this library may import this one. This package imports none of them and has no native code,
 * so it works where the native library can't be loaded. It reads no files except below {@code /proc}.
 */
@NullMarked
package org.umh4j.linux;

import org.jspecify.annotations.NullMarked;
