// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;

/**
 * Paths that no unprivileged user can redirect.
 *
 * <p>Trusted means: from the root folder down, every component belongs to root or to this process's own user, and
 * nobody else may write to it. A folder that others may write to is trusted when it is sticky, as {@code /tmp} is: they
 * can add to it and can't replace what is there. A symbolic link is a component too, and its target is followed in the
 * same way, so the whole chain is trusted link by link. The result has no links, so opening it takes the path that was
 * checked.
 */
final class TrustedPath {
    private static final int S_IFMT = 0170000;
    private static final int S_IFLNK = 0120000;
    private static final int S_IFDIR = 0040000;
    private static final int S_ISVTX = 0001000;
    private static final int S_IWOTH = 0000002;
    private static final int S_IWGRP = 0000020;

    /** The number of links that the kernel follows. */
    private static final int MOST_LINKS = 40;

    private final Path path;
    private final int self = ownUid();
    private final Deque<String> left = new ArrayDeque<>();
    private Path place;
    private int links;

    private TrustedPath(Path path) {
        this.path = path;
        place = path.getRoot();
        push(path);
    }

    /** The path without links; an IOException that names the component which is not to be trusted. */
    static Path require(Path path) throws IOException {
        if (!path.isAbsolute()) {
            throw new IOException(path + " is not an absolute path");
        }
        return new TrustedPath(path).walk();
    }

    /**
     * Resolves the path like the kernel: component by component, each link replaced by its target, {@code ..} from the
     * resolved place.
     */
    private Path walk() throws IOException {
        requireTrusted(place);
        while (!left.isEmpty()) {
            String name = left.pop();
            if (name.equals("..")) {
                place = place.getParent() == null ? place : place.getParent();
            } else if (!name.isEmpty() && !name.equals(".")) {
                step(place.resolve(name));
            }
        }
        return place;
    }

    private void step(Path part) throws IOException {
        if (!isLink(requireTrusted(part))) {
            place = part;
            return;
        }
        if (++links > MOST_LINKS) {
            throw new IOException(path + " has more than " + MOST_LINKS + " links, or a loop of them");
        }
        Path target = Files.readSymbolicLink(part);
        if (target.isAbsolute()) {
            place = target.getRoot();
        }
        push(target);
    }

    /** Puts the target's components before those that are left. */
    private void push(Path target) {
        for (int i = target.getNameCount() - 1; i >= 0; i--) {
            left.push(target.getName(i).toString());
        }
    }

    /** The mode of a component that others can neither change nor replace. */
    private int requireTrusted(Path part) throws IOException {
        Map<String, Object> attributes = Files.readAttributes(part, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
        int uid = (Integer) Objects.requireNonNull(attributes.get("uid"));
        int mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
        if (uid != 0 && uid != self) {
            throw new IOException(part + " belongs to uid " + uid + ", not to root or to this process" + of(part));
        }
        if (writableByOthers(mode)) {
            throw new IOException(
                    part + " can be written by others (mode " + Integer.toOctalString(mode & 07777) + ")" + of(part));
        }
        return mode;
    }

    /** The whole path, if the part is not visibly a part of it. */
    private String of(Path part) {
        return path.startsWith(part) ? "" : ", on the way of " + path;
    }

    private static boolean isLink(int mode) {
        return (mode & S_IFMT) == S_IFLNK;
    }

    private static boolean writableByOthers(int mode) {
        boolean link = isLink(mode);
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
