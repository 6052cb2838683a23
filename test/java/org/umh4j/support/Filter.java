// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.umh4j.linux.Errno;

/**
 * Seccomp filters that refuse system calls with an errno and allow every other, as {@code struct sock_filter[]} for
 * x86_64.
 *
 * <p>They are written as lines: an errno, then what gets it. {@code name} is a call, {@code >=424} every number from
 * there
 * on, {@code clone&0x7e020000} a call whose first argument has one of these bits, {@code personality!0x0,0x8} one
 * whose first
 * argument is none of these. The first line that fits counts; what follows a number sign is not read.
 */
public final class Filter {
    private static final int LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
    private static final int JUMP = 0x05; // BPF_JMP | BPF_JA
    private static final int IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private static final int IF_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    private static final int IF_BITS = 0x45; // BPF_JMP | BPF_JSET | BPF_K
    private static final int RETURN = 0x06; // BPF_RET | BPF_K
    private static final int ALLOW = 0x7fff0000; // SECCOMP_RET_ALLOW
    private static final int ERRNO = 0x00050000; // SECCOMP_RET_ERRNO
    private static final int NUMBER = 0; // offsets in struct seccomp_data: the call,
    private static final int FIRST_ARGUMENT = 16; // and the low half

    private static Map<String, Integer> numbers;

    private final ByteArrayOutputStream program = new ByteArrayOutputStream();

    private Filter() {}

    /** Refuses the call with this errno and allows every other. */
    public static byte[] refusing(String call, int errno) {
        return of(List.of(Errno.of(errno) + " " + call));
    }

    /** That of a file of test/resources/filters. */
    public static byte[] named(String name) throws IOException {
        return of(Files.readAllLines(Path.of("test/resources/filters", name + ".txt")));
    }

    public static byte[] of(List<String> lines) {
        Filter filter = new Filter();
        filter.add(LOAD, 0, 0, NUMBER);
        for (String line : lines) {
            String[] words = line.replaceFirst("#.*", "").strip().split(" +");
            for (String call : Arrays.asList(words).subList(1, words.length)) {
                filter.refuse(call, ERRNO | Errno.valueOf(words[0]).number());
            }
        }
        filter.add(RETURN, 0, 0, ALLOW);
        return filter.program.toByteArray();
    }

    private void refuse(String call, int answer) {
        if (call.startsWith(">=")) {
            add(IF_AT_LEAST, 0, 1, Integer.parseInt(call.substring(2)));
        } else if (call.contains("&")) {
            add(IF_EQUAL, 0, 3, number(call.substring(0, call.indexOf('&'))));
            add(LOAD, 0, 0, FIRST_ARGUMENT);
            add(
                    IF_BITS,
                    1,
                    0,
                    Long.decode(call.substring(call.indexOf('&') + 1)).intValue());
            add(RETURN, 0, 0, ALLOW);
            // reached by the bits and, with another number, by the first jump: that one must not be refused
            add(LOAD, 0, 0, NUMBER);
            add(IF_EQUAL, 0, 1, number(call.substring(0, call.indexOf('&'))));
        } else if (call.contains("!")) {
            String[] allowed = call.substring(call.indexOf('!') + 1).split(",");
            add(IF_EQUAL, 0, allowed.length + 2, number(call.substring(0, call.indexOf('!'))));
            add(LOAD, 0, 0, FIRST_ARGUMENT);
            for (int i = 0; i < allowed.length; i++) {
                add(IF_EQUAL, allowed.length - i, 0, Long.decode(allowed[i]).intValue());
            }
            add(JUMP, 0, 0, 1);
            add(JUMP, 0, 0, 1); // another number, or an allowed argument
        } else {
            add(IF_EQUAL, 0, 1, number(call));
        }
        add(RETURN, 0, 0, answer);
        add(LOAD, 0, 0, NUMBER);
    }

    private void add(int code, int ifTrue, int ifFalse, int operand) {
        ByteBuffer instruction = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        instruction
                .putShort((short) code)
                .put((byte) ifTrue)
                .put((byte) ifFalse)
                .putInt(operand);
        program.writeBytes(instruction.array());
    }

    /** As the compiler's headers have it; a call that they do not know yet, or any more, gets a number that is none. */
    private static synchronized int number(String call) {
        if (numbers == null) {
            numbers = new HashMap<>();
            headers()
                    .lines()
                    .filter(line -> line.matches("#define __NR_\\w+ \\d+"))
                    .forEach(line -> {
                        String[] words = line.split(" ");
                        numbers.put(words[1].replace("__NR_", ""), Integer.valueOf(words[2]));
                    });
        }
        return numbers.getOrDefault(call, 0x7fffffff);
    }

    private static String headers() {
        try {
            Process gcc =
                    new ProcessBuilder("gcc", "-E", "-dM", "-include", "asm/unistd.h", "-xc", "/dev/null").start();
            return new String(gcc.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
