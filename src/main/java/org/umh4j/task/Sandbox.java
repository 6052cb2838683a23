// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Host;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.linux.UmhStage;

/**
 * The restrictions of a helper: a seccomp filter and landlock rules. The helper and its children can't undo them.
 * Immutable; each method returns a changed copy. The default is no restriction.
 *
 * <p>Both need {@link Cred#noNewPrivs()}, or {@code CAP_SYS_ADMIN} in the JVM. Without either the start fails at
 * {@link UmhStage#SECCOMP} with {@code EACCES}, or at {@link UmhStage#LANDLOCK} with {@code EPERM}.
 *
 * <p><b>Seccomp.</b> The filter is an array of {@code struct sock_filter} as bytes, from any compiler; libseccomp's
 * {@code seccomp_export_bpf} writes one. With no_new_privs, {@code seccomp(2)} is the last step before {@code execve}.
 * So the filter must allow {@code execve}. It must also allow {@code sendmsg} and {@code exit_group}, or a failure of
 * {@code execve} can't be reported with its errno. Without no_new_privs, {@code capset} follows {@code seccomp(2)} and
 * must be allowed too.
 *
 * <p><b>Landlock.</b> The rules list the access that the helper keeps. All other access to files that the kernel's
 * landlock can control is denied. The program, its interpreter and its libraries need a rule too. The JVM opens the
 * paths of the rules when the helper is started. If the helper has another root, paths are resolved below that root,
 * and links can't lead out of it. Otherwise they are resolved in the JVM's root, even if the helper joins a mount
 * namespace. A path that can't be opened fails the start at {@link UmhStage#LANDLOCK} with the errno of
 * {@code open(2)}. A kernel without landlock fails it with {@code ENOSYS} or {@code EOPNOTSUPP}.
 *
 * @implSpec {@code seccomp(2)} with {@code SECCOMP_SET_MODE_FILTER}, {@code landlock_restrict_self(2)} (5.13)
 */
public final class Sandbox {
    /** The largest number of instructions of a filter, {@code BPF_MAXINSNS}. */
    public static final int MAX_INSTRUCTIONS = 4_096;

    private static final int INSTRUCTION_BYTES = 8;

    private static final long EXECUTE = 1;
    private static final long READ_FILE = 1 << 2;
    private static final long READ_DIR = 1 << 3;
    /** The access rights of the first landlock ABI. */
    private static final long FIRST_ABI = (1 << 13) - 1;

    /** The access rights that each ABI adds, from ABI 1 on. */
    private static final long[] ADDED_BY_ABI = {FIRST_ABI, 1 << 13, 1 << 14, 0, 1 << 15};

    private static final long ALL_RIGHTS = (1 << 16) - 1;
    private static final long READ_ONLY = EXECUTE | READ_FILE | READ_DIR;
    /** The rights that the kernel allows in a rule on a file: execute, write, read, truncate, ioctl. */
    private static final long FILE_RIGHTS = EXECUTE | 1 << 1 | READ_FILE | 1 << 14 | 1 << 15;

    private static final Sandbox NONE = new Sandbox(null, null);

    /** The access that the helper keeps below a path. Rights that the running kernel does not control are left out. */
    private record Rule(byte[] path, long access) {}

    private final byte @Nullable [] seccomp;
    private final @Nullable List<Rule> rules;

    private Sandbox(byte @Nullable [] seccomp, @Nullable List<Rule> rules) {
        this.seccomp = seccomp;
        this.rules = rules;
    }

    /** Returns no restriction. */
    public static Sandbox defaults() {
        return NONE;
    }

    /**
     * Returns the landlock ABI of this kernel, 1 and up. Returns 0 if the kernel has no landlock, or it is not enabled.
     */
    public static int landlockAbi() {
        return Math.max(Host.landlockAbi(), 0);
    }

    /**
     * Sets a filter of system calls, {@code SECCOMP_SET_MODE_FILTER}.
     *
     * @param filter {@code struct sock_filter[]} in the host's byte order: 1 to {@value #MAX_INSTRUCTIONS} times 8
     *     bytes
     * @throws IllegalArgumentException for another size
     */
    public Sandbox seccomp(byte[] filter) {
        boolean whole = Objects.requireNonNull(filter, "filter").length % INSTRUCTION_BYTES == 0;
        if (!whole || filter.length == 0 || filter.length > MAX_INSTRUCTIONS * INSTRUCTION_BYTES) {
            throw new IllegalArgumentException(
                    "a filter of " + filter.length + " bytes is not 1 to 4096 instructions of 8");
        }
        return new Sandbox(filter.clone(), rules);
    }

    /** Enables landlock without adding a rule: all access to files is denied that no rule allows. */
    public Sandbox landlock() {
        return new Sandbox(seccomp, rules == null ? List.of() : rules);
    }

    /**
     * Allows reading, listing and executing of a file, or of everything below a directory. Use
     * {@link #rule(Path, long)} to allow reading without executing.
     */
    public Sandbox readOnly(Path path) {
        return rule(path, READ_ONLY);
    }

    /** Allows reading, listing and executing. See {@link #readOnly(Path)}. */
    public Sandbox readOnly(String path) {
        return rule(path, READ_ONLY);
    }

    /** Allows all access to a file, or to everything below a directory. */
    public Sandbox readWrite(Path path) {
        return rule(path, ALL_RIGHTS);
    }

    /** Allows all access. See {@link #readWrite(Path)}. */
    public Sandbox readWrite(String path) {
        return rule(path, ALL_RIGHTS);
    }

    /**
     * Allows some access to a file, or to everything below a directory, {@code landlock_add_rule(2)}.
     *
     * @param access bits {@code LANDLOCK_ACCESS_FS_*} of the kernel, up to ABI 5
     * @throws IllegalArgumentException for 0, and for unknown bits
     */
    public Sandbox rule(Path path, long access) {
        return rule(Bytes.of(path, "landlock path"), access);
    }

    /** Allows some access. See {@link #rule(Path, long)}. */
    public Sandbox rule(String path, long access) {
        return rule(Bytes.of(path, "landlock path"), access);
    }

    /** Allows some access to a path in bytes of any encoding. See {@link #rule(Path, long)}. */
    public Sandbox rule(byte[] path, long access) {
        byte[] copy = Bytes.of(path, "landlock path");
        if (access == 0 || (access & ~ALL_RIGHTS) != 0) {
            throw new IllegalArgumentException("landlock access 0x" + Long.toHexString(access) + " is not in 1 to 0x"
                    + Long.toHexString(ALL_RIGHTS));
        }
        List<Rule> more = new ArrayList<>(rules == null ? List.of() : rules);
        more.add(new Rule(copy, access));
        return new Sandbox(seccomp, more);
    }

    boolean isSeccomp() {
        return seccomp != null;
    }

    boolean isLandlock() {
        return rules != null;
    }

    void writeTo(Plan plan, OpenedFiles opened, byte @Nullable [] root) throws StageFailure {
        if (seccomp != null) {
            plan.require(UmhStage.SECCOMP).require(UmhStage.EFFECTIVE);
            plan.seccomp = seccomp;
        }
        if (rules != null) {
            writeLandlock(rules, plan, opened, root);
        }
    }

    private static void writeLandlock(List<Rule> rules, Plan plan, OpenedFiles opened, byte @Nullable [] root)
            throws StageFailure {
        long handled = handledRights(landlockAbi());
        plan.require(UmhStage.LANDLOCK).require(UmhStage.EFFECTIVE);
        plan.landlockAccess = handled == 0 ? FIRST_ABI : handled; // without landlock the launcher reports the errno
        for (Rule rule : rules) {
            int fd = open(rule, root, opened);
            if (fd < 0) {
                throw new StageFailure(UmhStage.LANDLOCK, fd, 0, Bytes.toString(rule.path));
            }
            plan.landlockRule(fd, rule.access & plan.landlockAccess & (OpenedFiles.isDirectory(fd) ? -1 : FILE_RIGHTS));
        }
    }

    private static int open(Rule rule, byte @Nullable [] root, OpenedFiles opened) {
        return root == null ? opened.openPath(rule.path) : opened.openPathBelow(root, rule.path);
    }

    private static long handledRights(int abi) {
        long handled = 0;
        for (int i = 0; i < Math.min(abi, ADDED_BY_ABI.length); i++) {
            handled |= ADDED_BY_ABI[i];
        }
        return handled;
    }
}
