// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/** The securebits of {@code capabilities(7)}, each with its lock, which makes it final for the helper and its children. */
public enum Securebit {
    /** Uid 0 gains no capability by executing a program. */
    NOROOT,
    /** {@link #NOROOT} stays as it is. */
    NOROOT_LOCKED,
    /** A change of uid from or to 0 changes no capability. */
    NO_SETUID_FIXUP,
    /** {@link #NO_SETUID_FIXUP} stays as it is. */
    NO_SETUID_FIXUP_LOCKED,
    /** Capabilities survive a change of all uids from 0; an execve ends it. */
    KEEP_CAPS,
    /** {@link #KEEP_CAPS} stays as it is. */
    KEEP_CAPS_LOCKED,
    /** No ambient capability can be raised any more. */
    NO_CAP_AMBIENT_RAISE,
    /** {@link #NO_CAP_AMBIENT_RAISE} stays as it is. */
    NO_CAP_AMBIENT_RAISE_LOCKED;

    /** Its bit, {@code SECBIT_*}. */
    public int bit() {
        return 1 << ordinal();
    }
}
