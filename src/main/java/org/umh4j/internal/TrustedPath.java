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
 * Checks that no other unprivileged user can redirect a path.
 *
 * <p>A path is trusted if every component, from the root directory on, belongs to root or to this process's user, and
 * no other user may write to it. A sticky directory such as {@code /tmp} is trusted even if others may write to it:
 * they can add files, but can't replace files of other users. A symbolic link is a component too, and its target is
 * resolved in the same way. The result has no links, so an open of it follows the path that was checked.
 */
final class TrustedPath {
    private static final int S_IFMT = 0170000;
    private static final int S_IFLNK = 0120000;
    private static final int S_IFDIR = 0040000;
    private static final int S_ISVTX = 0001000;
    private static final int S_IWOTH = 0000002;
    private static final int S_IWGRP = 0000020;

    /** The largest number of links in a path that the kernel follows. */
    private static final int MAX_LINKS = 40;

    private final Path path;
    private final int self = ownUid();
    private final Deque<String> remaining = new ArrayDeque<>();
    private Path resolved;
    private int links;

    private TrustedPath(Path path) {
        this.path = path;
        resolved = path.getRoot();
        push(path);
    }

    /** Returns the path without links. An IOException names the component that is not trusted. */
    static Path require(Path path) throws IOException {
        if (!path.isAbsolute()) {
            throw new IOException(path + " is not an absolute path");
        }
        return new TrustedPath(path).walk();
    }

    /**
     * Resolves the path as the kernel does: one component after the other, each link replaced by its target, and
     * {@code ..} as the parent of the resolved directory.
     */
    private Path walk() throws IOException {
        requireTrusted(resolved);
        while (!remaining.isEmpty()) {
            String name = remaining.pop();
            if (name.equals("..")) {
                resolved = resolved.getParent() == null ? resolved : resolved.getParent();
            } else if (!name.isEmpty() && !name.equals(".")) {
                step(resolved.resolve(name));
            }
        }
        return resolved;
    }

    private void step(Path component) throws IOException {
        if (!isLink(requireTrusted(component))) {
            resolved = component;
            return;
        }
        if (++links > MAX_LINKS) {
            throw new IOException(path + " has more than " + MAX_LINKS + " links, or a loop of them");
        }
        Path target = Files.readSymbolicLink(component);
        if (target.isAbsolute()) {
            resolved = target.getRoot();
        }
        push(target);
    }

    /** Puts the target's components before the remaining ones. */
    private void push(Path target) {
        for (int i = target.getNameCount() - 1; i >= 0; i--) {
            remaining.push(target.getName(i).toString());
        }
    }

    /** Returns the mode of a component that other users can neither change nor replace. */
    private int requireTrusted(Path component) throws IOException {
        Map<String, Object> attributes = Files.readAttributes(component, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
        int uid = (Integer) Objects.requireNonNull(attributes.get("uid"));
        int mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
        if (uid != 0 && uid != self) {
            throw new IOException(
                    component + " belongs to uid " + uid + ", not to root or to this process" + suffix(component));
        }
        if (isWritableByOthers(mode)) {
            throw new IOException(component + " can be written by others (mode " + Integer.toOctalString(mode & 07777)
                    + ")" + suffix(component));
        }
        return mode;
    }

    /** Returns the whole path for the message, if it does not begin with the component. */
    private String suffix(Path component) {
        return path.startsWith(component) ? "" : ", in the resolution of " + path;
    }

    private static boolean isLink(int mode) {
        return (mode & S_IFMT) == S_IFLNK;
    }

    private static boolean isWritableByOthers(int mode) {
        boolean link = isLink(mode);
        boolean stickyDirectory = (mode & S_IFMT) == S_IFDIR && (mode & S_ISVTX) != 0;
        return !link && !stickyDirectory && (mode & (S_IWOTH | S_IWGRP)) != 0;
    }

    /** Returns this process's effective uid, or -1 without /proc: then only root is trusted. */
    private static int ownUid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            return -1;
        }
    }
}
