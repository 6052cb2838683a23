// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Snippets;

/** The programs of the tutorial, and those that replace others, print what their pages say. */
final class PagesTest {
    private static final Path TUTORIAL = Path.of("docs/tutorial.md");

    static List<Snippets.Snippet> programs() throws IOException {
        List<Snippets.Snippet> programs = new ArrayList<>(Snippets.of(TUTORIAL));
        programs.addAll(Snippets.of(Path.of("docs/migration.md")));
        programs.addAll(Snippets.of(Path.of("docs/virtual-threads.md")));
        programs.addAll(Snippets.of(Path.of("docs/observability.md")));
        return programs;
    }

    @ParameterizedTest
    @RequiresRoot
    @MethodSource("programs")
    void programPrintsWhatThePageSays(Snippets.Snippet program) throws Exception {
        assertEquals(program.output(), program.run());
    }

    /** The pod of docs/containers.md: those four capabilities do, without more and with no new privileges. */
    @Test
    @RequiresRoot
    void capabilitiesOfThePodSufficeForAnotherUserWithNone() throws Exception {
        Matcher added = Pattern.compile("add: \\[(.*)]").matcher(java.nio.file.Files.readString(Path.of("docs/containers.md")));
        assertTrue(added.find());
        String kept = added.group(1).replaceAll("[\" ]", "").toLowerCase(Locale.ROOT).replaceAll("(^|,)", "$1+");
        Jvm.Outcome outcome = new Jvm()
                .under("setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all," + kept)
                .run(Main.class, "exec", "--uid", "nobody", "--cap-bounding", "none", "/bin/grep", "CapBnd", "/proc/self/status");
        assertEquals("CapBnd:\t0000000000000000\n", outcome.requireSuccess());
    }

    @Test
    void tutorialHasTenSteps() throws IOException {
        assertEquals(10, Snippets.of(TUTORIAL).size());
    }
}
