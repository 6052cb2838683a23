// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Strings as the kernel has them: bytes without NUL. */
public final class Bytes {
    /** How the JVM decoded paths and arguments that it got from the system; so this is how they go back. */
    private static final Charset SYSTEM =
            Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name()));

    private static final int NO_INDEX = -1;

    private Bytes() {}

    /** The encoding of strings from and to the system. */
    public static Charset systemCharset() {
        return SYSTEM;
    }

    /** The bytes of a string, which is called {@code what} in the exception about a NUL or an impossible character. */
    public static byte[] of(String string, String what) {
        return of(string, what, NO_INDEX);
    }

    /** The same of one of several. */
    public static byte[] of(String string, String what, int index) {
        if (string == null) {
            throw new NullPointerException(name(what, index));
        }
        if (string.indexOf('\0') < 0) {
            byte[] bytes = string.getBytes(SYSTEM);
            if (bytes.length == string.length() && new String(bytes, StandardCharsets.ISO_8859_1).equals(string)) {
                return bytes; // ASCII, as nearly always; a character that has no bytes would have become a '?'
            }
        }
        return encoded(string, name(what, index));
    }

    private static String name(String what, int index) {
        return index == NO_INDEX ? what : what + "[" + index + "]";
    }

    private static byte[] encoded(String string, String what) {
        try {
            ByteBuffer encoded = SYSTEM.newEncoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .encode(CharBuffer.wrap(string));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return checked(bytes, what);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    what + " has a character that is not in the system's encoding " + SYSTEM + "; pass it as bytes", e);
        }
    }

    /** A copy without NUL. */
    public static byte[] of(byte[] bytes, String what) {
        return of(bytes, what, NO_INDEX);
    }

    /** The same of one of several. */
    public static byte[] of(byte[] bytes, String what, int index) {
        if (bytes == null) {
            throw new NullPointerException(name(what, index));
        }
        byte[] copy = bytes.clone();
        return new String(copy, StandardCharsets.ISO_8859_1).indexOf('\0') < 0
                ? copy
                : checked(copy, name(what, index));
    }

    /** The string that these bytes are in the system's encoding. */
    public static String toString(byte[] bytes) {
        return new String(bytes, SYSTEM);
    }

    static byte[] nulTerminated(String string) {
        byte[] bytes = of(string, "path");
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    private static byte[] checked(byte[] bytes, String what) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                throw new IllegalArgumentException(what + " has a NUL at byte " + i);
            }
        }
        return bytes;
    }
}
