// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.KernelDefaults;
import org.umh4j.internal.Plan;
import org.umh4j.linux.UmhStage;

/**
 * Where a helper stands in the file system: {@code struct fs_struct}, as a value. Immutable; each method answers a
 * changed copy.
 *
 * <p>{@link #kernel()} is the default: the JVM's root folder, working directory {@code /}, umask 022.
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

    /** As the kernel's helpers: root and working directory {@code /}, umask 022. */
    public static Fs defaults() {
        return DEFAULTS;
    }

    /** Another root folder, {@code chroot(2)}: needs {@code CAP_SYS_CHROOT}. It is no confinement by itself. */
    public Fs root(String path) {
        return new Fs(Bytes.of(path, "root"), cwd, umask);
    }

    /** The same for a name in another encoding than the system's. */
    public Fs root(byte[] path) {
        return new Fs(Bytes.of(path, "root"), cwd, umask);
    }

    /**
     * A working directory, looked up in the helper's root. A relative path begins at that root if the helper has
     * another root or joins a mount namespace. Otherwise it begins at the JVM's working directory.
     *
     * <p>The launcher enters it with the helper's ids and groups, and with the capabilities that the program will have.
     * If only the JVM may enter the directory, the start fails at {@link UmhStage#CWD} with {@code EACCES}. A path
     * through a magic link of {@code /proc}, such as {@code /proc/self/cwd}, fails with {@code ELOOP}. A directory
     * outside of the root fails with {@code EXDEV}, and a deleted one with {@code ENOENT}.
     */
    public Fs cwd(String path) {
        return new Fs(root, Bytes.of(path, "cwd"), umask);
    }

    /** The same for a name in another encoding than the system's. */
    public Fs cwd(byte[] path) {
        return new Fs(root, Bytes.of(path, "cwd"), umask);
    }

    /** The bits that are taken from the mode of created files: 0 to 0777. */
    public Fs umask(int mask) {
        if ((mask & ~MODE_BITS) != 0) {
            throw new IllegalArgumentException("umask 0" + Integer.toOctalString(mask) + " is not in 0 to 0777");
        }
        return new Fs(root, cwd, mask);
    }

    /** The other root, if there is one. */
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
