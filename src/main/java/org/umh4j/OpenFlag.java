// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Arguments;

/** How a file for the helper is opened: the flags of {@code open(2)} that make sense for it. */
public enum OpenFlag {
    /** {@code O_RDONLY}; the default where no other access is named. */
    READ(0),
    /** {@code O_WRONLY}. */
    WRITE(1),
    /** {@code O_RDWR}. */
    READ_WRITE(2),
    /** {@code O_CREAT}. */
    CREATE(0100),
    /** {@code O_EXCL}: with CREATE, the file must not exist. */
    EXCLUSIVE(0200),
    /** {@code O_TRUNC}. */
    TRUNCATE(01000),
    /** {@code O_APPEND}: several writers do not overwrite each other. */
    APPEND(02000);

    private static final int ACCESS = 3;

    private final int bits;

    OpenFlag(int bits) {
        this.bits = bits;
    }

    static int bits(OpenFlag... flags) {
        Arguments.nonNull(flags, "flags");
        int bits = 0;
        for (OpenFlag flag : flags) {
            if ((bits & flag.bits & ACCESS) != 0 || ((bits | flag.bits) & ACCESS) == ACCESS) {
                throw new IllegalArgumentException("one access of READ, WRITE and READ_WRITE, not two");
            }
            bits |= flag.bits;
        }
        if ((bits & EXCLUSIVE.bits) != 0 && (bits & CREATE.bits) == 0) {
            throw new IllegalArgumentException("EXCLUSIVE is for a file that is created: add CREATE");
        }
        return bits;
    }
}
