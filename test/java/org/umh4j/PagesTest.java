// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Snippets;

/** The programs of the tutorial, and those that replace others, print what their pages say. */
final class PagesTest {
    private static final Path TUTORIAL = Path.of("docs/tutorial.md");

    static List<Snippets.Snippet> programs() throws IOException {
        List<Snippets.Snippet> programs = new ArrayList<>(Snippets.of(TUTORIAL));
        programs.addAll(Snippets.of(Path.of("docs/migration.md")));
        return programs;
    }

    @ParameterizedTest
    @RequiresRoot
    @MethodSource("programs")
    void programPrintsWhatThePageSays(Snippets.Snippet program) throws Exception {
        assertEquals(program.output(), program.run());
    }

    @Test
    void tutorialHasTenSteps() throws IOException {
        assertEquals(10, Snippets.of(TUTORIAL).size());
    }
}
