// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

/**
 * How long a call waits for its helper: the {@code UMH_*} flags of {@code include/linux/umh.h}.
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
     * {@code UMH_NO_WAIT}: the caller goes on at once, and the answer is 0 whatever becomes of the helper.
     *
     * <p>A daemon thread of the library starts the helper, so the JVM may end before the helper is started. Two threads
     * serve all such calls, and one more for each init or cleanup function that blocks. If no thread can be created,
     * the result is {@code -EAGAIN}.
     *
     * <p>As in the kernel, a killable or freezable NO_WAIT is a killable or freezable EXEC.
     */
    public static final UmhWait NO_WAIT = new UmhWait(0);

    /** {@code UMH_WAIT_EXEC}: until the helper's program is in place, or is known not to be. */
    public static final UmhWait EXEC = new UmhWait(UMH_WAIT_EXEC);

    /** {@code UMH_WAIT_PROC}: until the helper has ended. */
    public static final UmhWait PROC = new UmhWait(UMH_WAIT_PROC);

    /** Refuses flags that the kernel does not know. */
    public UmhWait {
        if ((flags & ~ALL) != 0) {
            throw new IllegalArgumentException("unknown wait flags 0x" + Integer.toHexString(flags & ~ALL));
        }
    }

    /** The same, and an interrupt of the caller ends its wait with {@code -EINTR}; the helper runs on. */
    public UmhWait killable() {
        return new UmhWait(flags | UMH_KILLABLE);
    }

    /** The same, and {@link HelperGate#freeze} does not wait for this caller, who does not return until thawed. */
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
        String what = isForProcess() ? "UMH_WAIT_PROC" : isNoWait() ? "UMH_NO_WAIT" : "UMH_WAIT_EXEC";
        return what + (isKillable() ? "|UMH_KILLABLE" : "") + (isFreezable() ? "|UMH_FREEZABLE" : "");
    }
}
