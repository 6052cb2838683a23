// SPDX-License-Identifier: Apache-2.0

/** Somebody else's module. */
module consumer {
    requires org.umh4j;
}
