// SPDX-License-Identifier: Apache-2.0
/** Compares helpers with those of the kernel, and with those that other tools start. */
package org.umh4j.conformance;
