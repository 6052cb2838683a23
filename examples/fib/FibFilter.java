// SPDX-License-Identifier: Apache-2.0
package org.umh4j.examples.fib;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A seccomp filter for x86_64: it allows the system calls that the driver makes, and any other one kills the driver.
 *
 * <p>The driver needs the calls of a static program's start and end, reads and writes of open descriptors, and one
 * netlink socket. The launcher executes the driver under the filter: it needs execveat, and sendmsg and exit_group to
 * report a failure.
 */
final class FibFilter {
    // spotless:off
    private static final int[] ALLOWED = {
        0, 1, 44, 45, 46, // read, write, sendto, recvfrom, sendmsg
        9, 10, 11, 12, // mmap, mprotect, munmap, brk
        158, 218, 273, 302, 318, 334, // arch_prctl, set_tid_address, set_robust_list, prlimit64, getrandom, rseq
        89, 262, 267, // readlink, newfstatat, readlinkat
        60, 231, 322 // exit, exit_group, execveat
    };
    // spotless:on

    private static final int SOCKET = 41;
    private static final int AF_NETLINK = 16;
    private static final int X86_64 = 0xc000003e;

    private static final int LOAD = 0x20;
    private static final int JUMP_IF_EQUAL = 0x15;
    private static final int RETURN = 0x06;
    private static final int ALLOW = 0x7fff0000;
    private static final int KILL_PROCESS = 0x80000000;

    /** Offsets in {@code struct seccomp_data}. */
    private static final int NUMBER = 0;

    private static final int ARCHITECTURE = 4;
    private static final int FIRST_ARGUMENT = 16;

    private FibFilter() {}

    /** Returns the filter as an array of {@code struct sock_filter}. */
    static byte[] program() {
        int size = 3 + ALLOWED.length + 5;
        ByteBuffer filter = ByteBuffer.allocate(8 * size).order(ByteOrder.nativeOrder());
        put(filter, LOAD, 0, 0, ARCHITECTURE);
        put(filter, JUMP_IF_EQUAL, 0, size - 4, X86_64); // else jumps to the last instruction but one
        put(filter, LOAD, 0, 0, NUMBER);
        for (int i = 0; i < ALLOWED.length; i++) {
            put(filter, JUMP_IF_EQUAL, size - 1 - (3 + i) - 1, 0, ALLOWED[i]); // jumps to the last instruction
        }
        put(filter, JUMP_IF_EQUAL, 0, 2, SOCKET);
        put(filter, LOAD, 0, 0, FIRST_ARGUMENT);
        put(filter, JUMP_IF_EQUAL, 1, 0, AF_NETLINK);
        put(filter, RETURN, 0, 0, KILL_PROCESS);
        put(filter, RETURN, 0, 0, ALLOW);
        return filter.array();
    }

    /** Appends one instruction. Jumps are relative to the next one. */
    private static void put(ByteBuffer filter, int code, int ifTrue, int ifFalse, int operand) {
        filter.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(operand);
    }
}
