// SPDX-License-Identifier: Apache-2.0
/** Attackers, hosts that refuse, and other code in the JVM that takes descriptors, children or plan sockets. */
package org.umh4j.hostile;
