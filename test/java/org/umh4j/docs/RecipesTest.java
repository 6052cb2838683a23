// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Snippets;

/** The recipes print what the page shows. */
final class RecipesTest {
    static List<Snippets.Snippet> recipes() throws IOException {
        return Snippets.of(Path.of("docs/recipes.md"));
    }

    @ParameterizedTest
    @RequiresRoot
    @MethodSource("recipes")
    void recipePrintsWhatThePageSays(Snippets.Snippet recipe) throws Exception {
        assertEquals(recipe.output(), recipe.run());
        assertTrue(sleepersEnd(), "a helper outlived its JVM");
    }

    /** The helper of "Death with the JVM" was killed by the kernel, which may take a moment. */
    private static boolean sleepersEnd() throws InterruptedException {
        for (int i = 0; i < 500; i++) {
            if (ProcessHandle.allProcesses().noneMatch(RecipesTest::sleepsForAnHour)) {
                return true;
            }
            Thread.sleep(10);
        }
        return false;
    }

    /** The recipes sleep for an hour, and no other test does. */
    private static boolean sleepsForAnHour(ProcessHandle process) {
        return process.info().commandLine().orElse("").endsWith("sleep 3600");
    }

    @Test
    void eachRecipeStatesItsOutput() throws IOException {
        for (Snippets.Snippet recipe : recipes()) {
            assertTrue(recipe.output() != null, recipe.toString());
        }
    }
}
