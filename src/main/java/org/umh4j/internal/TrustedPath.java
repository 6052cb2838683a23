// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * Paths that no unprivileged user can redirect.
 *
 * <p>Trusted means: from the root folder down, every component belongs to root or to this process's own user, and
 * nobody else may write to it. A folder that others may write to is trusted when it is sticky, as {@code /tmp} is:
 * they can add to it and can't replace what is there. Symbolic links are checked as components of the path that was
 * given, and then the path behind them is checked again.
 */
final class TrustedPath {
    private static final int S_IFMT = 0170000;
    private static final int S_IFLNK = 0120000;
    private static final int S_IFDIR = 0040000;
    private static final int S_ISVTX = 0001000;
    private static final int S_IWOTH = 0000002;
    private static final int S_IWGRP = 0000020;

    private TrustedPath() {}

    /** The path without links; an IOException that names the component which is not to be trusted. */
    static Path require(Path path) throws IOException {
        if (!path.isAbsolute()) {
            throw new IOException(path + " is not an absolute path");
        }
        requireComponents(path.normalize());
        Path real = path.toRealPath();
        requireComponents(real);
        return real;
    }

    private static void requireComponents(Path path) throws IOException {
        int self = ownUid();
        for (Path part = path; part != null; part = part.getParent()) {
            Map<String, Object> attributes = Files.readAttributes(part, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
            int uid = (Integer) Objects.requireNonNull(attributes.get("uid"));
            int mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
            if (uid != 0 && uid != self) {
                throw new IOException(part + " belongs to uid " + uid + ", not to root or to this process");
            }
            if (writableByOthers(mode)) {
                throw new IOException(part + " can be written by others (mode " + Integer.toOctalString(mode & 07777) + ")");
            }
        }
    }

    private static boolean writableByOthers(int mode) {
        boolean link = (mode & S_IFMT) == S_IFLNK;
        boolean stickyFolder = (mode & S_IFMT) == S_IFDIR && (mode & S_ISVTX) != 0;
        return !link && !stickyFolder && (mode & (S_IWOTH | S_IWGRP)) != 0;
    }

    /** This process's effective uid, or -1 where there is no /proc to ask: then only root is trusted. */
    private static int ownUid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            return -1;
        }
    }
}
