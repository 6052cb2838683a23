// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A seccomp filter that refuses one system call with an errno, as {@code struct sock_filter[]} for x86_64. */
public final class Filter {
    private static final int LOAD_NUMBER = 0x20; // BPF_LD | BPF_W | BPF_ABS, offset 0: the number
    private static final int JUMP_IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private static final int RETURN = 0x06; // BPF_RET | BPF_K
    private static final int SECCOMP_RET_ALLOW = 0x7fff0000;
    private static final int SECCOMP_RET_ERRNO = 0x00050000;

    private Filter() {}

    /** Refuses the call with this errno and allows every other. */
    public static byte[] refusing(String call, int errno) {
        ByteBuffer filter = ByteBuffer.allocate(4 * 8).order(ByteOrder.LITTLE_ENDIAN);
        add(filter, LOAD_NUMBER, 0, 0, 0);
        add(filter, JUMP_IF_EQUAL, 0, 1, number(call));
        add(filter, RETURN, 0, 0, SECCOMP_RET_ERRNO | errno);
        add(filter, RETURN, 0, 0, SECCOMP_RET_ALLOW);
        return filter.array();
    }

    private static void add(ByteBuffer filter, int code, int ifTrue, int ifFalse, int operand) {
        filter.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(operand);
    }

    private static int number(String call) {
        return switch (call) {
            case "personality" -> 135;
            case "keyctl" -> 250;
            case "memfd_create" -> 319;
            case "execveat" -> 322;
            case "pidfd_send_signal" -> 424;
            case "pidfd_open" -> 434;
            case "clone3" -> 435;
            case "close_range" -> 436;
            case "openat2" -> 437;
            default -> throw new IllegalArgumentException(call);
        };
    }
}
