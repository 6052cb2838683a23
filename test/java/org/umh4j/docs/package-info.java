// SPDX-License-Identifier: Apache-2.0
/** Runs what the README, the pages and the examples show. */
package org.umh4j.docs;
