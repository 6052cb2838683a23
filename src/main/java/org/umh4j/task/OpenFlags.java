// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import org.umh4j.internal.Arguments;

/** Translates the JDK's options of an open into flags of open(2). */
final class OpenFlags {
    private static final int O_WRONLY = 01;
    private static final int O_RDWR = 02;
    private static final int O_CREAT = 0100;
    private static final int O_EXCL = 0200;
    private static final int O_TRUNC = 01000;
    private static final int O_APPEND = 02000;
    private static final int O_DSYNC = 010000;
    private static final int O_SYNC = 04010000;

    private OpenFlags() {}

    static int of(OpenOption... options) {
        Set<OpenOption> all = Set.copyOf(List.of(Arguments.nonNull(options, "options")));
        boolean writes = all.contains(StandardOpenOption.WRITE) || all.contains(StandardOpenOption.APPEND);
        if (!writes && all.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
            throw new IllegalArgumentException("TRUNCATE_EXISTING needs WRITE: open(2) would empty the file");
        }
        int flags = writes ? all.contains(StandardOpenOption.READ) ? O_RDWR : O_WRONLY : 0;
        for (OpenOption option : all) {
            flags |= flag(option);
        }
        return flags;
    }

    private static int flag(OpenOption option) {
        if (option instanceof StandardOpenOption standard) {
            return switch (standard) {
                case READ, WRITE, SPARSE -> 0;
                case APPEND -> O_APPEND;
                case TRUNCATE_EXISTING -> O_TRUNC;
                case CREATE -> O_CREAT;
                case CREATE_NEW -> O_CREAT | O_EXCL;
                case SYNC -> O_SYNC;
                case DSYNC -> O_DSYNC;
                case DELETE_ON_CLOSE ->
                    throw new IllegalArgumentException("DELETE_ON_CLOSE: open(2) has no flag for it");
            };
        }
        throw new IllegalArgumentException(option + ": open(2) has no flag for it");
    }
}
