// SPDX-License-Identifier: Apache-2.0

/** A module of another project. */
module consumer {
    requires org.umh4j;
}
