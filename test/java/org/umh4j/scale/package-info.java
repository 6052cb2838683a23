// SPDX-License-Identifier: Apache-2.0
/** Many helpers, drivers and callers at the same time. */
package org.umh4j.scale;
