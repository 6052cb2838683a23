// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The command line with which the script {@code umh} starts the JVM. Another program takes the place of the JVM and
 * records its arguments and environment.
 */
final class UmhScriptTest {
    @TempDir
    private Path directory;

    @BeforeEach
    void installBesideAStandInForTheJvm() throws IOException {
        Files.createDirectories(directory.resolve("bin"));
        Files.createDirectories(directory.resolve("lib/umh4j"));
        Files.copy(Path.of("umh"), directory.resolve("bin/umh"));
        Files.createFile(directory.resolve("lib/umh4j/umh4j-cli.jar"));
        // The kernel's own record of what a program was started with; the shell's variables are others by then.
        String standIn = """
                #!/bin/sh
                cat /proc/$$/environ >%1$s/environ
                cat /proc/$$/cmdline >%1$s/cmdline
                exec 9>%1$s/descriptors
                for fd in 0 1 2; do echo "$(readlink /proc/$$/fd/$fd)" >&9; done
                """.formatted(directory);
        Path java = directory.resolve("bin/java");
        Files.writeString(java, standIn);
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void umh(String shell) throws Exception {
        String script = shell.replace("UMH", "JAVA_HOME=" + directory + " " + directory.resolve("bin/umh"));
        Process process = new ProcessBuilder("/bin/bash", "-c", script)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    private List<String> recorded(String file) throws IOException {
        String text = Files.readString(directory.resolve(file), StandardCharsets.ISO_8859_1);
        return List.of(text.split(file.equals("descriptors") ? "\n" : "\0"));
    }

    @Test
    void noVariableIsLostAddedOrChanged() throws Exception {
        umh("exec env -i PATH=/usr/bin:/bin a.b=1 a-b=2 'BASH_FUNC_f%%=() { :; }' é=é 1=one"
                + " X=$'a\\377\\n' empty= UMH exec");
        assertEquals(
                List.of(
                        "PATH=/usr/bin:/bin",
                        "a.b=1",
                        "a-b=2",
                        "BASH_FUNC_f%%=() { :; }",
                        "\u00c3\u00a9=\u00c3\u00a9",
                        "1=one",
                        "X=a\u00ff\n",
                        "empty=",
                        "JAVA_HOME=" + directory),
                recorded("environ"));
    }

    @Test
    void argumentsArePassedOnByteByByte() throws Exception {
        umh("UMH exec '' ' a  b ' \"'\" '\"' @/etc/passwd -- '$x' $'\\377' $'\\n'");
        List<String> cmdline = recorded("cmdline");
        List<String> last = cmdline.subList(cmdline.indexOf("exec"), cmdline.size());
        assertEquals(List.of("exec", "", " a  b ", "'", "\"", "@/etc/passwd", "--", "$x", "\u00ff", "\n"), last);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "1", "2", "0 1", "0 2", "1 2", "0 1 2"})
    void closedStandardDescriptorHoldsNoFileOfTheJvm(String closed) throws Exception {
        StringBuilder redirections =
                new StringBuilder("0</etc/hostname 1>>" + directory + "/out 2>>" + directory + "/err");
        for (String number : closed.isEmpty() ? new String[0] : closed.split(" ")) {
            redirections.append(' ').append(number).append(">&-");
        }
        umh("UMH exec " + redirections);
        List<String> descriptors = recorded("descriptors");
        List<String> usual = List.of("/etc/hostname", directory + "/out", directory + "/err");
        for (int i = 0; i <= 2; i++) {
            boolean isClosed = closed.contains(Integer.toString(i));
            assertEquals(isClosed ? "/dev/null" : usual.get(i), descriptors.get(i), "descriptor " + i);
        }
        String printed = recorded("cmdline").stream()
                .filter(word -> word.startsWith("-Dorg.umh4j.cli.closed="))
                .findFirst()
                .orElse("=");
        List<String> numbers = List.of(
                        printed.substring(printed.indexOf('=') + 1).split(","))
                .stream()
                .sorted()
                .toList();
        assertEquals(List.of(closed.split(" ")), numbers);
    }

    @Test
    void linkToTheScriptFindsTheSameJar() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("bin/umh"));
        umh("JAVA_HOME=" + directory + " " + link + " exec");
        assertTrue(recorded("cmdline").contains(directory.toRealPath() + "/lib/umh4j/umh4j-cli.jar"));
    }
}
