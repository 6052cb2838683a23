// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

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
import org.umh4j.support.Snippets;

/** What the README shows is what happens. */
final class ReadmeTest {
    @Test
    void javaExampleCompilesAndRuns() throws Exception {
        String out = example(0).run();
        assertTrue(out.matches("(?s)over: 768\\n\\d+: killed by SIGTERM\\n"), out);
    }

    @Test
    void driverExampleCompilesAndRuns() throws Exception {
        assertEquals("hello umh4j\n", example(1).run());
    }

    private static Snippets.Snippet example(int number) throws IOException {
        return Snippets.of(Path.of("README.md")).stream()
                .filter(snippet -> snippet.language().equals("java"))
                .skip(number)
                .findFirst()
                .orElseThrow();
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
        for (Path file : Snippets.documents()) {
            Matcher link = Pattern.compile("]\\(([^)#:]+)\\)").matcher(Files.readString(file));
            while (link.find()) {
                Path target = file.resolveSibling(link.group(1));
                assertFalse(Files.notExists(target), file + " links to " + link.group(1));
            }
        }
    }
}
