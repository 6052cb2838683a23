// SPDX-License-Identifier: Apache-2.0
/** What the tests share: programs, other JVMs, needs that skip a test, counts of leaks. */
package org.umh4j.support;
