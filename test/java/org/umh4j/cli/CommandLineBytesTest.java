// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.support.Jvm;

/**
 * The command line passes arguments, variables and paths on byte by byte, or rejects them. It reports output that it
 * could not write.
 */
final class CommandLineBytesTest {
    /**
     * In the notation of printf(1): bytes invalid in each encoding, valid in some, and parts of multibyte characters.
     */
    private static final List<String> WORDS = List.of(
            "\\377",
            "a\\377b",
            "\\303\\251",
            "\\303",
            "\\355\\262\\200",
            "\\360\\237\\222\\200",
            "\\300\\200",
            "\\033",
            "@f",
            "\\\\",
            "'");

    private static final List<String> LOCALES = List.of("C", "C.UTF-8", "POSIX");

    @TempDir
    private Path directory;

    /** The JVM, run by a shell that makes the words which a Java string can't hold. */
    private Jvm.Outcome umh(String locale, String shell, String... arguments) throws Exception {
        return new Jvm()
                .after(shell)
                .variable("LC_ALL=" + locale)
                .variable("DIRECTORY=" + directory)
                .run(Main.class, arguments);
    }

    private static String hexadecimal(String printf) throws Exception {
        Process process = new ProcessBuilder("/bin/sh", "-c", "printf \"$1\" | od -An -v -tx1", "sh", printf).start();
        return new String(process.getInputStream().readAllBytes())
                .replaceAll("\\s+", " ")
                .strip();
    }

    private static final String DUMP = "for word; do printf %s \"$word\" | od -An -v -tx1; done";

    static Stream<List<String>> localesAndWords() {
        return LOCALES.stream().flatMap(locale -> WORDS.stream().map(word -> List.of(locale, word)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "POSIX"})
    void argumentsReachTheHelperUnchanged(String locale) throws Exception {
        StringBuilder words = new StringBuilder("set -- \"$@\"");
        StringBuilder expected = new StringBuilder();
        for (String word : WORDS) {
            words.append(" \"$(printf '").append(word.replace("'", "'\\''")).append("')\"");
            expected.append(hexadecimal(word)).append('\n');
        }
        Jvm.Outcome outcome = umh(locale, words.toString(), "exec", "/bin/sh", "-c", DUMP, "sh");
        assertEquals(expected.toString(), outcome.requireSuccess().replaceAll("(?m)^ +| +$", ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "POSIX"})
    void variablesReachTheHelperUnchanged(String locale) throws Exception {
        String shell = "set -- \"$@\" --env \"V=$(printf 'v\\377')\" --env-inherit /bin/sh"
                + " -c 'printf %s \"$V$W\" | od -An -tx1';"
                + " W=$(printf '\\376\\303\\251'); export W";
        assertEquals(
                "76 ff fe c3 a9", umh(locale, shell, "exec").requireSuccess().strip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "POSIX"})
    void programAndFilesAreNamedByBytes(String locale) throws Exception {
        String shell =
                "d=$(printf '%s/d\\377' \"$DIRECTORY\"); mkdir \"$d\"; cp /bin/cat \"$d/cat\"; echo content >\"$d/f\";"
                        + " set -- \"$@\" --stdin \"$d/f\" --stdout \"$d/out\" --fd \"7=$d/f\""
                        + " --cwd \"$d\" \"$d/cat\" - /proc/self/fd/7 f;"
                        + " trap 'cat \"$d/out\"' EXIT";
        String run = shell + "; \"$0\" \"$@\"; exit";
        assertEquals("content\ncontent\ncontent\n", umh(locale, run, "exec").requireSuccess());
    }

    @ParameterizedTest
    @MethodSource("localesAndWords")
    void pathsOfOtherOptionsArriveUnchangedOrAreRejected(List<String> localeAndWord) throws Exception {
        String shell = "w=$(printf '" + localeAndWord.get(1).replace("'", "'\\''")
                + "'); set -- \"$@\" --seccomp \"$DIRECTORY/no/$w\" /bin/true";
        Jvm.Outcome outcome = umh(localeAndWord.get(0), shell, "exec");
        assertEquals(Main.FAILED, outcome.exitCode(), outcome.err());
        assertFalse(outcome.err().contains("\tat "), outcome.err());
    }

    @Test
    void argumentFilesAreNotExpanded() throws Exception {
        Path file = Files.writeString(directory.resolve("words"), "--uid 1\n");
        assertEquals(
                "@" + file + "\n",
                new Jvm().run(Main.class, "exec", "/bin/echo", "@" + file).requireSuccess());
        assertTrue(
                new Jvm().run(Main.class, "exec", "@" + file, "/bin/true").err().contains("ENOENT"));
    }

    @Test
    void fileIsCreatedOnlyForWriting() throws Exception {
        Path missing = directory.resolve("missing");
        assertEquals(
                Main.FAILED,
                new Jvm()
                        .run(Main.class, "exec", "--fd", "5=" + missing, "/bin/true")
                        .exitCode());
        assertEquals(
                Main.FAILED,
                new Jvm()
                        .run(Main.class, "exec", "--fd", "5=read:" + missing, "/bin/true")
                        .exitCode());
        assertFalse(Files.exists(missing));
        String twice = "echo new >&5; echo more >&6";
        new Jvm()
                .run(
                        Main.class,
                        "exec",
                        "--fd",
                        "5=write:" + missing,
                        "--fd",
                        "6=append:" + missing,
                        "/bin/sh",
                        "-c",
                        twice)
                .requireSuccess();
        assertEquals("new\nmore\n", Files.readString(missing));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"exec --json /bin/true", "caps", "sysctl", "--version", "--help", "exec --help", "doctor", "man"
            })
    void failedWriteOfTheOutputIsAFailure(String command) throws Exception {
        for (String redirection : List.of(">/dev/full", ">&-", "</dev/null 1</dev/null")) {
            Jvm.Outcome outcome = new Jvm().after("exec " + redirection).run(Main.class, command.split(" "));
            assertEquals(Main.FAILED, outcome.exitCode(), command + " " + redirection + "\n" + outcome.err());
        }
    }

    @Test
    void failedWriteOfADriversOutputIsAFailure() throws Exception {
        Jvm.Outcome outcome = new Jvm().after("exec >/dev/full </dev/null").run(Main.class, "driver", "/bin/echo", "x");
        assertEquals(Main.FAILED, outcome.exitCode(), outcome.err());
        assertTrue(outcome.err().contains("standard output can't be written"), outcome.err());
    }
}
