// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Snippets;

/** The programs and commands of the README print what the README shows. */
final class ReadmeTest {
    @Test
    void firstExampleWorksForEachUser() throws Exception {
        String out = example(0).run();
        assertTrue(out.matches("a\\nb\\nexit code 2, ls: cannot access '?/no/such/file'?: .*\\nEXEC ENOENT\\n"), out);
    }

    @Test
    @RequiresRoot
    void exampleOfRootGivesAUserWithoutPrivilege() throws Exception {
        assertEquals("65534\n", example(1).run());
    }

    @Test
    void exampleOfTheKernelsInterfaceWorksForEverybody() throws Exception {
        String out = example(2).run();
        assertTrue(out.matches("(?s)over: 768\\n\\d+: killed by SIGTERM\\n"), out);
    }

    @Test
    void driverExampleCompilesAndRuns() throws Exception {
        assertEquals("hello umh4j\n", example(3).run());
    }

    private static Snippets.Snippet example(int number) throws IOException {
        return Snippets.of(Path.of("README.md")).stream()
                .filter(snippet -> snippet.language().equals("java"))
                .skip(number)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void commandsOfTheReadmeWork() throws Exception {
        assertTrue(commands(false) >= 8);
    }

    @Test
    @RequiresRoot
    void commandsOfTheReadmeForRootWork() throws Exception {
        assertTrue(commands(true) >= 1);
    }

    /** Every command of the README's section on the command line, without what finds the jar; how many there were. */
    private static int commands(boolean asRoot) throws Exception {
        Matcher line = Pattern.compile("(?m)^\\./umh (.*?) +#(.*)").matcher(Files.readString(Path.of("README.md")));
        int count = 0;
        while (line.find()) {
            if (line.group(2).endsWith("as root") != asRoot) {
                continue;
            }
            Jvm.Outcome outcome = new Jvm().run(Main.class, line.group(1).trim().split(" "));
            assertEquals(0, outcome.exitCode(), line.group(1) + "\n" + outcome.err());
            count++;
        }
        return count;
    }

    @Test
    void pictureIsDrawnFromItsText() throws Exception {
        Process draw = new ProcessBuilder("bash", "-c", "tools/draw docs/architecture.txt").start();
        assertEquals(
                Files.readString(Path.of("docs/architecture.svg")),
                new String(draw.getInputStream().readAllBytes()));
    }

    @Test
    void dependencyIsOfThisVersion() throws IOException {
        Matcher version =
                Pattern.compile("(?m)^  <version>(.*)</version>").matcher(Files.readString(Path.of("pom.xml")));
        assertTrue(version.find());
        String readme = Files.readString(Path.of("README.md"));
        assertTrue(readme.contains("<version>" + version.group(1) + "</version>"));
        assertTrue(readme.contains("implementation(\"org.umh4j:umh4j:" + version.group(1) + "\")"));
    }

    @Test
    void linksOfThePagesExist() throws Exception {
        for (Path file : Snippets.documents()) {
            Matcher link = Pattern.compile("]\\(([^)#:]+)\\)").matcher(Files.readString(file));
            while (link.find()) {
                Path target = file.resolveSibling(link.group(1));
                assertFalse(Files.notExists(target), file + " links to " + link.group(1));
            }
        }
    }
}
