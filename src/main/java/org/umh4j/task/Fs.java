// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.KernelDefaults;
import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

/**
 * The root directory, working directory and umask of a helper. Immutable; each method returns a changed copy.
 *
 * <p>{@link #defaults()} is the JVM's root directory, the working directory {@code /} and the umask 022, as in helpers
 * of the kernel.
 *
 * @implSpec {@code struct fs_struct} of {@code include/linux/fs_struct.h}, Linux 6.12
 */
public final class Fs {
    private static final int MODE_BITS = 0777;
    private static final Fs DEFAULTS = new Fs(null, null, KernelDefaults.UMASK);

    private final byte @Nullable [] root;
    private final byte @Nullable [] cwd;
    private final int umask;

    private Fs(byte @Nullable [] root, byte @Nullable [] cwd, int umask) {
        this.root = root;
        this.cwd = cwd;
        this.umask = umask;
    }

    /** Returns the values of a kernel helper: the JVM's root, working directory {@code /}, umask 022. */
    public static Fs defaults() {
        return DEFAULTS;
    }

    /**
     * Sets the root directory, {@code chroot(2)}. Needs {@code CAP_SYS_CHROOT}.
     *
     * <p>A refusal fails the start at {@link UmhStage#ROOT}: {@code EPERM} without the capability, {@code ENOENT} or
     * {@code ENOTDIR} for a path that is not a directory. A root directory alone does not confine a helper with
     * capabilities: it can call {@code chroot(2)} again.
     */
    public Fs root(Path path) {
        return new Fs(Bytes.of(path, "root"), cwd, umask);
    }

    /** Sets the root directory. See {@link #root(Path)}. */
    public Fs root(String path) {
        return new Fs(Bytes.of(path, "root"), cwd, umask);
    }

    /** Sets the root directory by bytes in any encoding. See {@link #root(Path)}. */
    public Fs root(byte[] path) {
        return new Fs(Bytes.of(path, "root"), cwd, umask);
    }

    /**
     * Sets the working directory, which is resolved in the helper's root. A relative path begins at that root if the
     * helper has another root or joins a mount namespace. Otherwise it begins at the JVM's working directory.
     *
     * <p>The launcher enters the directory with the helper's ids, groups and capabilities. If only the JVM may enter
     * it, the start fails at {@link UmhStage#CWD} with {@code EACCES}. A path through a magic link of {@code /proc},
     * such as {@code /proc/self/cwd}, fails with {@code ELOOP}. A directory outside of the root fails with
     * {@code EXDEV}, and a deleted one with {@code ENOENT}.
     */
    public Fs cwd(Path path) {
        return new Fs(root, Bytes.of(path, "cwd"), umask);
    }

    /** Sets the working directory. See {@link #cwd(Path)}. */
    public Fs cwd(String path) {
        return new Fs(root, Bytes.of(path, "cwd"), umask);
    }

    /** Sets the working directory by bytes in any encoding. See {@link #cwd(Path)}. */
    public Fs cwd(byte[] path) {
        return new Fs(root, Bytes.of(path, "cwd"), umask);
    }

    /** Sets the bits that are cleared in the mode of created files, {@code umask(2)}: 0 to 0777. */
    public Fs umask(int mask) {
        if ((mask & ~MODE_BITS) != 0) {
            throw new IllegalArgumentException("umask 0" + Integer.toOctalString(mask) + " is not in 0 to 0777");
        }
        return new Fs(root, cwd, mask);
    }

    /** Returns the root directory, or null for the JVM's. */
    byte @Nullable [] root() {
        return root;
    }

    void writeTo(Plan plan) {
        plan.require(UmhStage.UMASK).require(UmhStage.CWD);
        plan.umask = umask;
        plan.cwd = cwd;
        if (root != null) {
            plan.require(UmhStage.ROOT);
            plan.root = root;
        }
    }
}
