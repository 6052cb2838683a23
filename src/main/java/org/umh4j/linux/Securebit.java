// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

/**
 * The securebits of {@code capabilities(7)}.
 *
 * <p>Each bit has a lock. A locked bit can't be changed any more by the helper or by processes that it starts.
 *
 * @implSpec {@code include/uapi/linux/securebits.h}, Linux 6.12
 */
public enum Securebit {
    /** An {@code execve} by uid 0, or of a set-user-ID-root program, adds no capabilities. */
    NOROOT,
    /** Locks {@link #NOROOT}. */
    NOROOT_LOCKED,
    /** A change of the uids from or to 0 leaves the capability sets unchanged. */
    NO_SETUID_FIXUP,
    /** Locks {@link #NO_SETUID_FIXUP}. */
    NO_SETUID_FIXUP_LOCKED,
    /** The permitted set survives a change of all uids from 0. An {@code execve} clears this bit. */
    KEEP_CAPS,
    /** Locks {@link #KEEP_CAPS}. */
    KEEP_CAPS_LOCKED,
    /** No capability can be added to the ambient set any more. */
    NO_CAP_AMBIENT_RAISE,
    /** Locks {@link #NO_CAP_AMBIENT_RAISE}. */
    NO_CAP_AMBIENT_RAISE_LOCKED;

    /** Returns the bit, {@code SECBIT_*}. */
    public int bit() {
        return 1 << ordinal();
    }
}
