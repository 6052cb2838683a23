// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;

/** What the README shows is what happens. */
final class ReadmeTest {
    @Test
    void javaExampleCompilesAndRuns(@TempDir Path folder) throws Exception {
        Matcher block = Pattern.compile("(?s)```java\\n(.*?)```").matcher(Files.readString(Path.of("README.md")));
        assertTrue(block.find(), "no example");
        Path source = Files.writeString(folder.resolve("Example.java"),
                "import org.umh4j.*;\npublic class Example { public static void main(String[] a) throws Exception {\n"
                        + block.group(1) + "System.out.println(retval);\n}}\n");
        Process javac = new ProcessBuilder(System.getProperty("java.home") + "/bin/javac", "-d", folder.toString(),
                        "-cp", System.getProperty("java.class.path"), source.toString())
                .inheritIO()
                .start();
        assertEquals(0, javac.waitFor());
        String out = run(folder);
        assertTrue(out.matches("(?s)over: 768\\n\\d+: killed by SIGTERM\\n768\\n"), out);
    }

    private static String run(Path classes) throws Exception {
        List<String> command = new Jvm().command(Main.class);
        int classPath = command.indexOf("-cp") + 1;
        command.set(classPath, command.get(classPath) + ":" + classes);
        command.set(classPath + 1, "Example");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        return out;
    }

    /** Every command of the README's section on the command line, without the script that finds the jar. */
    @Test
    void commandsOfTheReadmeWork() throws Exception {
        Matcher line = Pattern.compile("(?m)^\\./umh (.*?) +#").matcher(Files.readString(Path.of("README.md")));
        int count = 0;
        while (line.find()) {
            Jvm.Outcome outcome = new Jvm().run(Main.class, line.group(1).trim().split(" "));
            assertEquals(0, outcome.exitCode(), line.group(1) + "\n" + outcome.err());
            count++;
        }
        assertTrue(count >= 8, "found " + count);
    }

    @Test
    void linksOfTheDocumentsLeadSomewhere() throws Exception {
        for (String document : List.of("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/launcher.md", "docs/errors.md",
                "docs/kernel-map.md")) {
            Path file = Path.of(document);
            Matcher link = Pattern.compile("]\\(([^)#:]+)\\)").matcher(Files.readString(file));
            while (link.find()) {
                Path target = file.resolveSibling(link.group(1));
                assertFalse(Files.notExists(target), document + " links to " + link.group(1));
            }
        }
    }
}
