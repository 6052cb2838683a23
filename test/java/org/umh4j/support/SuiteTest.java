// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules for the tests: how they are skipped, and which commands they may start. */
final class SuiteTest {
    private static final Path SOURCES = Path.of("test/java");
    /** Essential packages of Debian, but for those that its minimal images leave out. */
    private static final List<String> EVERYWHERE = List.of(
            "sh", "true", "false", "cat", "echo", "env", "id", "sleep", "chmod", "chown", "chroot", "cp", "dd", "head",
            "kill", "ls", "mkfifo", "mount", "printf", "rm", "sed", "stat", "stty", "tail", "touch", "tr", "umount",
            "grep", "find", "seq", "test", "nice", "nohup", "tee");

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    @Test
    void testsAreSkippedOnlyByNeeds() throws IOException {
        Pattern other = Pattern.compile(
                "\\bassum(e(True|False|ThatCode|That)|ing\\w+)\\(|\\bAssumptions\\.|TestAborted|@Disabled|\"SKIPPED");
        List<String> found = new ArrayList<>();
        for (Path file : sources()) {
            if (file.endsWith("support/Need.java") || file.endsWith("SuiteTest.java")) {
                continue;
            }
            if (other.matcher(Files.readString(file)).find()) {
                found.add(file.toString());
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    void setupChecksForEachToolOfTheTests() throws IOException {
        String setup = Files.readString(Path.of("tools/setup"));
        for (String tool : Tools.NAMES) {
            boolean essential = List.of("perl", "bash", "timeout").contains(tool);
            assertTrue(essential || setup.matches("(?s).*command_of [^\\n]*\\b" + tool + "\\b.*"), tool);
        }
    }

    @Test
    void commandsOfTheTestsAreAmongTheTools() throws IOException {
        TreeSet<String> unknown = new TreeSet<>();
        for (Path file : sources()) {
            Matcher command = Pattern.compile("(?:new ProcessBuilder|\\.under)\\(\\s*\"([a-z][a-z0-9]+)\"")
                    .matcher(Files.readString(file));
            while (command.find()) {
                unknown.add(command.group(1));
            }
        }
        unknown.removeAll(Tools.NAMES);
        unknown.removeAll(EVERYWHERE);
        assertEquals(new TreeSet<String>(), unknown);
    }
}
