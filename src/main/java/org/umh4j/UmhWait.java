// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * The point until which a call waits for its helper: the {@code UMH_*} flags of {@code include/linux/umh.h}.
 *
 * <p>{@link #NO_WAIT} does not wait, {@link #EXEC} waits until {@code execve} has succeeded or failed, {@link #PROC}
 * waits until the helper has ended. {@link #killable} and {@link #freezable} add a flag:
 * {@code UmhWait.PROC.killable()}.
 *
 * @param flags the kernel's bits: 1 for exec, 2 for the process, 4 killable, 8 freezable
 */
public record UmhWait(int flags) {
    private static final int UMH_WAIT_EXEC = 1;
    private static final int UMH_WAIT_PROC = 2;
    private static final int UMH_KILLABLE = 4;
    private static final int UMH_FREEZABLE = 8;
    private static final int ALL = UMH_WAIT_EXEC | UMH_WAIT_PROC | UMH_KILLABLE | UMH_FREEZABLE;

    /**
     * {@code UMH_NO_WAIT}: the call returns 0 at once. A later failure, of init too, does not change the result. A
     * refusal at the entry is returned: {@code -EINVAL} for a null path, {@code -EPERM} by {@link HelperPaths},
     * {@code -EBUSY} by {@link HelperGate}.
     *
     * <p>A daemon thread of the library starts the helper, so the JVM may end before the helper is started. Two threads
     * serve all such calls, and one more for each init or cleanup function that blocks. If no thread can be created,
     * the result is {@code -EAGAIN}.
     *
     * <p>As in the kernel, {@code NO_WAIT.killable()} equals {@code EXEC.killable()} in effect, and
     * {@code NO_WAIT.freezable()} equals {@code EXEC.freezable()}.
     */
    public static final UmhWait NO_WAIT = new UmhWait(0);

    /** {@code UMH_WAIT_EXEC}: the call waits until {@code execve} has succeeded, or a stage has failed. */
    public static final UmhWait EXEC = new UmhWait(UMH_WAIT_EXEC);

    /** {@code UMH_WAIT_PROC}: the call waits until the helper has ended. */
    public static final UmhWait PROC = new UmhWait(UMH_WAIT_PROC);

    /**
     * Accepts the four flags of the kernel only.
     *
     * @throws IllegalArgumentException for another flag
     */
    public UmhWait {
        if ((flags & ~ALL) != 0) {
            throw new IllegalArgumentException("unknown wait flags 0x" + Integer.toHexString(flags & ~ALL));
        }
    }

    /**
     * Adds {@code UMH_KILLABLE}: an interrupt of the caller ends its wait with {@code -EINTR}; the helper continues
     * to run.
     */
    public UmhWait killable() {
        return new UmhWait(flags | UMH_KILLABLE);
    }

    /**
     * Adds {@code UMH_FREEZABLE}: {@link HelperGate#freeze} does not wait for this call, and a call that waits
     * while helpers are frozen does not return until {@link HelperGate#thaw}. Without a freeze the flag has no effect.
     */
    public UmhWait freezable() {
        return new UmhWait(flags | UMH_FREEZABLE);
    }

    boolean isNoWait() {
        return flags == 0;
    }

    boolean isForProcess() {
        return (flags & UMH_WAIT_PROC) != 0;
    }

    boolean isKillable() {
        return (flags & UMH_KILLABLE) != 0;
    }

    boolean isFreezable() {
        return (flags & UMH_FREEZABLE) != 0;
    }

    @Override
    public String toString() {
        String point = isForProcess() ? "UMH_WAIT_PROC" : isNoWait() ? "UMH_NO_WAIT" : "UMH_WAIT_EXEC";
        return point + (isKillable() ? "|UMH_KILLABLE" : "") + (isFreezable() ? "|UMH_FREEZABLE" : "");
    }
}
