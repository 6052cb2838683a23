// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

/** How it stood after so many seconds. */
record Sample(double seconds, long helpers, Counts counts) {}
