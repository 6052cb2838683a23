// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;

/** Converts between strings and the kernel's strings: bytes without NUL. */
public final class Bytes {
    /** The charset by which the JVM decodes paths and arguments from the system. */
    private static final Charset SYSTEM =
            Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name()));

    private static final int NO_INDEX = -1;

    private Bytes() {}

    /** Returns the charset of strings from and to the system. */
    public static Charset systemCharset() {
        return SYSTEM;
    }

    /**
     * Returns the bytes of a string.
     *
     * @param name the argument's name in the exception
     * @throws IllegalArgumentException if the string has a NUL, or a character that the charset lacks
     */
    public static byte[] of(String string, String name) {
        return of(string, name, NO_INDEX);
    }

    /** Returns the bytes of the string at this index of an array. */
    public static byte[] of(String string, String name, int index) {
        if (string == null) {
            throw new NullPointerException(indexed(name, index));
        }
        if (string.indexOf('\0') < 0) {
            byte[] bytes = string.getBytes(SYSTEM);
            if (bytes.length == string.length() && new String(bytes, StandardCharsets.ISO_8859_1).equals(string)) {
                return bytes; // ASCII. A character that the charset lacks would be a '?' here
            }
        }
        return encode(string, indexed(name, index));
    }

    /**
     * Returns the bytes of a path.
     *
     * @param name the argument's name in the exception
     * @throws IllegalArgumentException if the path is not one of the default file system, or its name has bytes that
     *     the charset can't decode
     */
    public static byte[] of(Path path, String name) {
        return of(string(path, name), name);
    }

    /** Returns a path as a string, under the same conditions as {@link #of(Path, String)}. */
    public static String string(Path path, String name) {
        if (path == null) {
            throw new NullPointerException(name);
        }
        String string = path.toString();
        try {
            if (Path.of(string)
                    .equals(path)) { // else the string has replacement characters, or is of another file system
                return string;
            }
        } catch (InvalidPathException e) {
            // the exception below has the message
        }
        throw new IllegalArgumentException(name + " " + string + " is not a path of the default file system, or not in "
                + "the system's encoding " + SYSTEM + "; pass it as bytes");
    }

    private static String indexed(String name, int index) {
        return index == NO_INDEX ? name : name + "[" + index + "]";
    }

    private static byte[] encode(String string, String name) {
        try {
            ByteBuffer encoded = SYSTEM.newEncoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .encode(CharBuffer.wrap(string));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return requireNoNul(bytes, name);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    name + " has a character that is not in the system's encoding " + SYSTEM + "; pass it as bytes", e);
        }
    }

    /**
     * Returns a copy of the bytes.
     *
     * @param name the argument's name in the exception
     * @throws IllegalArgumentException if a byte is NUL
     */
    public static byte[] of(byte[] bytes, String name) {
        return of(bytes, name, NO_INDEX);
    }

    /** Returns a copy of the bytes at this index of an array. */
    public static byte[] of(byte[] bytes, String name, int index) {
        if (bytes == null) {
            throw new NullPointerException(indexed(name, index));
        }
        byte[] copy = bytes.clone();
        return new String(copy, StandardCharsets.ISO_8859_1).indexOf('\0') < 0
                ? copy
                : requireNoNul(copy, indexed(name, index));
    }

    /** Returns the bytes of each string. The exception names the index. */
    public static byte[][] ofAll(String[] strings, String name) {
        byte[][] bytes = new byte[strings.length][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = of(strings[i], name, i);
        }
        return bytes;
    }

    /** Returns a copy of each array of bytes. The exception names the index. */
    public static byte[][] ofAll(byte[][] strings, String name) {
        byte[][] bytes = new byte[strings.length][];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = of(strings[i], name, i);
        }
        return bytes;
    }

    /** Returns the string of these bytes. Bytes that the charset can't decode become replacement characters. */
    public static String toString(byte[] bytes) {
        return new String(bytes, SYSTEM);
    }

    /** Returns the bytes of a path with a NUL at the end. */
    static byte[] nulTerminated(String string) {
        byte[] bytes = of(string, "path");
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    private static byte[] requireNoNul(byte[] bytes, String name) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                throw new IllegalArgumentException(name + " has a NUL at byte " + i);
            }
        }
        return bytes;
    }
}
