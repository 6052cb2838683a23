// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The bytes of umh's arguments and environment.
 *
 * <p>The JVM decodes its arguments and variables, and loses each byte that is not a character of the system's encoding.
 * So both are read from {@code /proc/self}. A word that can't be decoded becomes a string in which each byte above 127
 * is an unpaired surrogate. Valid text has no such character. So picocli recognizes options in the string as in any
 * other one, and {@link #bytes} returns the bytes.
 */
final class CommandLineBytes {
    private static final Path ARGUMENTS = Path.of("/proc/self/cmdline");
    private static final Path VARIABLES = Path.of("/proc/self/environ");
    /** The encoding by which the JVM has decoded the arguments and variables. */
    private static final Charset SYSTEM = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    /** The char for a byte of 128 to 255 is the sum of this and the byte. */
    private static final char ESCAPE = 0xDC00;

    /** The JVM's replacement for a byte that it could not decode. */
    private static final char LOST = '\uFFFD';

    private CommandLineBytes() {}

    /**
     * Returns the arguments of {@code main}, with every byte.
     *
     * @throws IllegalArgumentException if an argument has lost bytes and {@code /proc} can't be read
     */
    static String[] arguments(String... decoded) {
        List<byte[]> all = read(ARGUMENTS);
        int first = all.size() - decoded.length;
        List<byte[]> last = first < 0 ? List.of() : all.subList(first, all.size());
        String[] words = new String[decoded.length];
        for (int i = 0; i < words.length; i++) {
            boolean known = !last.isEmpty() && new String(last.get(i), SYSTEM).equals(decoded[i]);
            words[i] = known ? of(last.get(i)) : requireComplete(decoded[i]);
        }
        return words;
    }

    /** Returns the environment of umh in its order, each variable as {@code NAME=VALUE}. */
    static List<byte[]> environment() {
        if (Files.isReadable(VARIABLES)) {
            return read(VARIABLES);
        }
        List<byte[]> variables = new ArrayList<>();
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            variables.add(bytes(requireComplete(variable.getKey() + "=" + variable.getValue()), "environment"));
        }
        return variables;
    }

    /**
     * Returns the bytes of a word.
     *
     * @param what the name of the word for the exception
     * @throws IllegalArgumentException if the system's encoding lacks one of its characters
     */
    static byte[] bytes(String word, String what) {
        if (!isEscaped(word)) {
            return encoded(word, what);
        }
        byte[] bytes = new byte[word.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) word.charAt(i); // the low byte is the byte itself
        }
        return bytes;
    }

    private static byte[] encoded(String word, String what) {
        try {
            ByteBuffer encoded = SYSTEM.newEncoder().encode(CharBuffer.wrap(word));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    what + " '" + word + "' has a character that is not in the system's encoding " + SYSTEM, e);
        }
    }

    static byte[][] bytes(List<String> words, String what) {
        return words.stream().map(word -> bytes(word, what)).toArray(byte[][]::new);
    }

    /** Returns the decoded text if it encodes to the same bytes; else one char for each byte. */
    private static String of(byte[] bytes) {
        try {
            String text = SYSTEM.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            if (Arrays.equals(text.getBytes(SYSTEM), bytes)) {
                return text;
            }
        } catch (CharacterCodingException e) {
            // escaped below
        }
        StringBuilder text = new StringBuilder(bytes.length);
        for (byte each : bytes) {
            text.append(each >= 0 ? (char) each : (char) (ESCAPE + (each & 0xff)));
        }
        return text.toString();
    }

    private static boolean isEscaped(String word) {
        return word.chars().allMatch(c -> c < 0x80 || (c & 0xff80) == (ESCAPE | 0x80))
                && word.chars().anyMatch(c -> c >= 0x80);
    }

    private static String requireComplete(String text) {
        if (text.indexOf(LOST) >= 0) {
            throw new IllegalArgumentException(
                    "'" + text + "' has bytes that are not characters of the system's encoding " + SYSTEM);
        }
        return text;
    }

    /** Returns the strings between the NULs; none if there is no /proc. */
    private static List<byte[]> read(Path file) {
        List<byte[]> words = new ArrayList<>();
        try {
            String all = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            for (int begin = 0, end; (end = all.indexOf('\0', begin)) >= 0; begin = end + 1) {
                words.add(all.substring(begin, end).getBytes(StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            // no /proc: the caller uses the strings that the JVM decoded
        }
        return words;
    }
}
