// SPDX-License-Identifier: Apache-2.0
/** The effect of helpers on their JVM, and of an unusual JVM on its helpers. */
package org.umh4j.jvm;
