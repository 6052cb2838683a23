// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Host;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.UmhStage;

/**
 * What a helper takes away from itself for good: a seccomp filter, landlock rules. Immutable; each method answers a
 * changed copy.
 *
 * <p>Both need {@link Cred#noNewPrivs}, or {@code CAP_SYS_ADMIN} in the JVM.
 *
 * <p><b>Seccomp.</b> The filter is the bytes of an array of {@code struct sock_filter}, from any compiler; libseccomp's
 * {@code seccomp_export_bpf} writes it. With no_new_privs it is the very last thing before {@code execve}, so it has to
 * allow that; and {@code sendmsg} and {@code exit_group}, if a failing {@code execve} shall be reported as what it is.
 * Without, {@code capset} comes between and has to be allowed too.
 *
 * <p><b>Landlock.</b> Every right to files that the kernel's landlock knows is taken, but for what the rules leave. The
 * JVM looks paths up when the helper is started. If the helper has another root, they are looked up below it, and no
 * link leads out of it. Otherwise they are looked up in the JVM's own tree, even if the helper joins a mount namespace.
 * The program, its interpreter and its libraries need a rule as well.
 *
 * @implSpec {@code seccomp(2)} with {@code SECCOMP_SET_MODE_FILTER}, {@code landlock_restrict_self(2)} (5.13)
 */
public final class Sandbox {
    /** {@code BPF_MAXINSNS}. */
    public static final int MAX_INSTRUCTIONS = 4_096;

    private static final int INSTRUCTION_BYTES = 8;

    private static final long EXECUTE = 1;
    private static final long READ_FILE = 1 << 2;
    private static final long READ_DIR = 1 << 3;
    /** The rights of the first ABI; each later one adds those at its place. */
    private static final long FIRST_ABI = (1 << 13) - 1;

    private static final long[] ADDED = {FIRST_ABI, 1 << 13, 1 << 14, 0, 1 << 15};

    private static final long KNOWN = (1 << 16) - 1;
    private static final long READ_ONLY = EXECUTE | READ_FILE | READ_DIR;
    /** What a rule on a file, not a folder, may leave: execute, write, read, truncate, ioctl. */
    private static final long OF_FILES = EXECUTE | 1 << 1 | READ_FILE | 1 << 14 | 1 << 15;

    private static final Sandbox NONE = new Sandbox(null, null);

    /** Rights below a path. What the running kernel does not know of them is not taken away there either. */
    private record Rule(String path, long access) {}

    private final byte @Nullable [] seccomp;
    private final @Nullable List<Rule> rules;

    private Sandbox(byte @Nullable [] seccomp, @Nullable List<Rule> rules) {
        this.seccomp = seccomp;
        this.rules = rules;
    }

    /** No restriction. */
    public static Sandbox defaults() {
        return NONE;
    }

    /** The landlock ABI of this kernel, 1 and up; 0 when it has none, or it is not enabled. */
    public static int landlockAbi() {
        return Math.max(Host.landlockAbi(), 0);
    }

    /**
     * A filter of system calls.
     *
     * @param filter {@code struct sock_filter[]} in the machine's byte order: a multiple of 8 bytes, at most 4096 times
     */
    public Sandbox seccomp(byte[] filter) {
        boolean whole = Objects.requireNonNull(filter, "filter").length % INSTRUCTION_BYTES == 0;
        if (!whole || filter.length == 0 || filter.length > MAX_INSTRUCTIONS * INSTRUCTION_BYTES) {
            throw new IllegalArgumentException(
                    "a filter of " + filter.length + " bytes is not 1 to 4096 instructions of 8");
        }
        return new Sandbox(filter.clone(), rules);
    }

    /** Landlock, which leaves nothing but what the rules that follow leave. */
    public Sandbox landlock() {
        return new Sandbox(seccomp, rules == null ? List.of() : rules);
    }

    /** Leaves reading, listing and executing below a folder, or of a file. */
    public Sandbox readOnly(String path) {
        return rule(path, READ_ONLY);
    }

    /** Leaves everything below a folder, or with a file. */
    public Sandbox readWrite(String path) {
        return rule(path, KNOWN);
    }

    /** Leaves the rights of these bits, the {@code LANDLOCK_ACCESS_FS_*} of the kernel, up to those of ABI 5. */
    public Sandbox rule(String path, long access) {
        if (access == 0 || (access & ~KNOWN) != 0) {
            throw new IllegalArgumentException(
                    "landlock access 0x" + Long.toHexString(access) + " is not in 1 to 0x" + Long.toHexString(KNOWN));
        }
        List<Rule> more = new ArrayList<>(rules == null ? List.of() : rules);
        Bytes.of(path, "landlock path");
        more.add(new Rule(path, access));
        return new Sandbox(seccomp, more);
    }

    boolean isSeccomp() {
        return seccomp != null;
    }

    boolean isLandlock() {
        return rules != null;
    }

    void writeTo(Plan plan, OpenedFiles opened, Task task) throws StageFailure {
        if (seccomp != null) {
            plan.require(UmhStage.SECCOMP).require(UmhStage.EFFECTIVE);
            plan.seccomp = seccomp;
        }
        if (rules != null) {
            landlock(rules, plan, opened, task);
        }
    }

    private static void landlock(List<Rule> rules, Plan plan, OpenedFiles opened, Task task) throws StageFailure {
        long handled = handled(landlockAbi());
        plan.require(UmhStage.LANDLOCK).require(UmhStage.EFFECTIVE);
        plan.landlock = handled == 0 ? FIRST_ABI : handled; // without landlock the launcher learns the errno
        for (Rule rule : rules) {
            int fd = open(rule, task, opened);
            if (fd < 0) {
                throw new StageFailure(UmhStage.LANDLOCK, fd, 0, rule.path);
            }
            plan.rule(fd, rule.access & plan.landlock & (OpenedFiles.isFolder(fd) ? -1 : OF_FILES));
        }
    }

    private static int open(Rule rule, Task task, OpenedFiles opened) {
        byte[] path = Bytes.of(rule.path, "landlock path");
        byte[] root = task.fs().root();
        return root == null || task.namespaces().isJoined(Namespace.MOUNT)
                ? opened.openPath(path)
                : opened.openPathBelow(root, path);
    }

    private static long handled(int abi) {
        long handled = 0;
        for (int i = 0; i < Math.min(abi, ADDED.length); i++) {
            handled |= ADDED[i];
        }
        return handled;
    }
}
