// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Absurd values of a type: null, the smallest, the largest, both sides of each limit, and nonsense. */
public final class Absurd {
    private static final String LONG = "9".repeat(70_000);
    private static final List<String> TEXTS = List.of(
            "",
            " ",
            "\0",
            "a\0b",
            "-1",
            "+1",
            "0x",
            "0x1ffffffffffffffff",
            "1e9",
            "%s%n",
            ".",
            "..",
            "/",
            "a/b",
            "a=b",
            "=",
            "\n",
            "\ud800",
            "\u0665",
            "99999999999999999999",
            "cap_99",
            "RTMAX+1",
            LONG);
    private static final long[] NUMBERS = {
        Long.MIN_VALUE,
        Integer.MIN_VALUE,
        -1_001,
        -1_000,
        -21,
        -20,
        -2,
        -1,
        0,
        1,
        7,
        8,
        19,
        20,
        64,
        65,
        99,
        100,
        255,
        256,
        0777,
        01000,
        1_000,
        1_001,
        4_096,
        65_535,
        65_536,
        Integer.MAX_VALUE,
        0xffff_fffeL,
        0xffff_ffffL,
        1L << 32,
        1L << 62,
        Long.MAX_VALUE
    };

    private Absurd() {}

    /** Null among them where the type has it. */
    public static List<Object> of(Class<?> type) {
        List<Object> values = new ArrayList<>();
        if (!type.isPrimitive()) {
            values.add(null);
        }
        if (type.isArray()) {
            values.addAll(arrays(type.getComponentType()));
        } else if (type.isEnum()) {
            values.addAll(List.of(type.getEnumConstants()));
        } else {
            values.addAll(plain(type));
        }
        return values;
    }

    private static List<Object> plain(Class<?> type) {
        if (type == int.class) {
            return numbers(Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        if (type == long.class) {
            return numbers(Long.MIN_VALUE, Long.MAX_VALUE);
        }
        if (type == boolean.class) {
            return List.of(true, false);
        }
        if (type == String.class) {
            return List.copyOf(TEXTS);
        }
        if (type == Duration.class) {
            return List.of(
                    Duration.ofSeconds(Long.MIN_VALUE),
                    Duration.ofNanos(Long.MIN_VALUE),
                    Duration.ofNanos(-1),
                    Duration.ZERO,
                    Duration.ofNanos(1),
                    Duration.ofNanos(Long.MAX_VALUE),
                    Duration.ofNanos(Long.MAX_VALUE).plusNanos(1),
                    ChronoUnit.FOREVER.getDuration());
        }
        return things(type);
    }

    private static List<Object> numbers(long least, long most) {
        List<Object> numbers = new ArrayList<>();
        for (long number : NUMBERS) {
            if (number >= least && number <= most) {
                numbers.add(least == Long.MIN_VALUE ? (Object) number : (Object) (int) number);
            }
        }
        return numbers;
    }

    private static List<Object> things(Class<?> type) {
        if (type == Path.class) {
            return List.of(Path.of(""), Path.of("/no/such/file"), Path.of("/"));
        }
        if (type == Class.class) {
            return List.of(Object.class, int.class, int[].class);
        }
        if (type == InputStream.class) {
            return List.of(new ByteArrayInputStream(new byte[0]), new ByteArrayInputStream(new byte[1]));
        }
        if (type == FileDescriptor.class) {
            return List.of(new FileDescriptor());
        }
        if (type == ByteBuffer.class) {
            return List.of(
                    ByteBuffer.allocate(0), ByteBuffer.allocate(1).asReadOnlyBuffer(), ByteBuffer.allocateDirect(1));
        }
        if (type == Channel.class) {
            return List.of(
                    closedChannel(),
                    Proxy.newProxyInstance(
                            Absurd.class.getClassLoader(),
                            new Class<?>[] {Channel.class},
                            (proxy, method, arguments) -> method.getName().equals("toString")
                                    ? "a channel of nobody's"
                                    : method.getReturnType() == boolean.class ? true : null));
        }
        return List.of();
    }

    private static Channel closedChannel() {
        try {
            Pipe pipe = Pipe.open();
            pipe.sink().close();
            pipe.source().close();
            return pipe.source();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** None, one of each, each twice, and so many that no limit allows them. */
    private static List<Object> arrays(Class<?> component) {
        if (component == byte.class) {
            return List.of(
                    new byte[0],
                    new byte[1],
                    new byte[7],
                    new byte[8],
                    new byte[70_000],
                    "a".getBytes(StandardCharsets.UTF_8));
        }
        List<Object> arrays = new ArrayList<>();
        arrays.add(Array.newInstance(component, 0));
        for (Object value : of(component)) {
            for (int size : new int[] {1, 2}) {
                arrays.add(array(component, value, size));
            }
        }
        if (component == long.class || component == int.class) {
            arrays.add(array(component, component == int.class ? (Object) 1 : (Object) 1L, 70_000));
        }
        return arrays;
    }

    private static Object array(Class<?> component, Object value, int size) {
        Object array = Array.newInstance(component, size);
        for (int i = 0; i < size; i++) {
            Array.set(array, i, value);
        }
        return array;
    }

    /** For messages. */
    public static String text(Object value) {
        if (value != null && value.getClass().isArray()) {
            int size = Array.getLength(value);
            List<String> parts = new ArrayList<>();
            for (int i = 0; i < Math.min(size, 3); i++) {
                parts.add(text(Array.get(value, i)));
            }
            return parts + (size > 3 ? " of " + size : "");
        }
        String text = String.valueOf(value).replace("\0", "\\0").replace("\n", "\\n");
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }

    /** Whether the array has a null in it, however deep. */
    public static boolean hasNull(Object value) {
        return value == null
                || value instanceof Object[] array && Arrays.stream(array).anyMatch(Absurd::hasNull);
    }
}
