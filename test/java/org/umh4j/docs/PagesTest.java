// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Snippets;

/** The programs of the pages print what the pages show. */
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
        Matcher added = Pattern.compile("add: \\[(.*)]").matcher(Files.readString(Path.of("docs/containers.md")));
        assertTrue(added.find());
        String kept =
                added.group(1).replaceAll("[\" ]", "").toLowerCase(Locale.ROOT).replaceAll("(^|,)", "$1+");
        Jvm.Outcome outcome = new Jvm()
                .under("setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all," + kept)
                .run(
                        Main.class,
                        "exec",
                        "--uid",
                        "nobody",
                        "--cap-bounding",
                        "none",
                        "/bin/grep",
                        "CapBnd",
                        "/proc/self/status");
        assertEquals("CapBnd:\t0000000000000000\n", outcome.requireSuccess());
    }

    /** The unit of docs/systemd.md: those capabilities do for another user with one of them. */
    @Test
    @RequiresRoot
    void capabilitiesOfTheUnitSufficeForAnotherUserWithOne() throws Exception {
        Matcher bounding = Pattern.compile("(?m)^CapabilityBoundingSet=(.*)$")
                .matcher(Files.readString(Path.of("docs/systemd.md")));
        assertTrue(bounding.find());
        String kept =
                bounding.group(1).toLowerCase(Locale.ROOT).replace("cap_", "+").replace(' ', ',');
        Jvm.Outcome outcome = new Jvm()
                .under("setpriv", "--inh-caps=-all", "--bounding-set=-all," + kept)
                .run(
                        Main.class,
                        "exec",
                        "--uid",
                        "nobody",
                        "--caps",
                        "net_admin",
                        "/bin/grep",
                        "CapEff",
                        "/proc/self/status");
        assertEquals("CapEff:\t0000000000001000\n", outcome.requireSuccess());
    }

    /** The programs that docs/migration.md replaces compile or run, and have the same effect. */
    @Test
    @RequiresRoot
    void replacedProgramsPrintTheSame() throws Exception {
        List<Snippets.Block> blocks = Snippets.blocks(Path.of("docs/migration.md"));
        Snippets.Block process = only(blocks, "new ProcessBuilder(");
        assertEquals("", new Snippets.Snippet(process.document(), "ProcessBuilder", "java", process.text(), "").run());
        Snippets.Block setuid = only(blocks, "prctl(PR_SET_NO_NEW_PRIVS");
        assertEquals(
                "",
                sh("gcc -Wall -Werror -D_GNU_SOURCE -fsyntax-only -x c - <<'END'\n"
                        + "#include <grp.h>\n#include <sys/prctl.h>\n"
                        + "#include <sys/stat.h>\n#include <unistd.h>\nextern void closefrom(int);\n"
                        + "#pragma GCC diagnostic ignored \"-Wunused-result\"\n"
                        + "void become(char **argv) {\n" + setuid.text() + "}\nEND\n"));
        assertEquals("65534\n", sh(only(blocks, "setpriv --reuid").text()));
    }

    private static Snippets.Block only(List<Snippets.Block> blocks, String part) {
        List<Snippets.Block> found =
                blocks.stream().filter(block -> block.text().contains(part)).toList();
        assertEquals(1, found.size(), part);
        return found.get(0);
    }

    private static String sh(String script) throws Exception {
        Process shell = new ProcessBuilder("bash", "-ec", script)
                .redirectErrorStream(true)
                .start();
        String out = new String(shell.getInputStream().readAllBytes());
        assertEquals(0, shell.waitFor(), out);
        return out;
    }

    /**
     * Each block of code runs unchanged and prints the block below it. Others are listed with the test that runs them.
     */
    @Test
    void everyBlockOfEveryPageIsRun() throws IOException {
        Set<String> run = Set.of(
                "README.md", // ReadmeTest; .ci/run and tools/first-use run its make commands
                "docs/recipes.md", // RecipesTest
                "docs/tutorial.md",
                "docs/migration.md",
                "docs/virtual-threads.md",
                "docs/observability.md", // programs()
                "examples/fib/README.md"); // DriverExampleTest
        Map<String, String> others = Map.of(
                "README.md xml", "ReadmeTest.dependencyIsOfThisVersion",
                "docs/containers.md yaml", "capabilitiesOfThePodSufficeForAnotherUserWithNone",
                "docs/systemd.md ini", "capabilitiesOfTheUnitSufficeForAnotherUserWithOne",
                "docs/migration.md text",
                        "replacedProgramsPrintTheSame, but for NuProcess, which make bench compiles against",
                "examples/README.md text", "ExamplesTest, and tools/first-use by this very line");
        TreeSet<String> forgotten = new TreeSet<>();
        for (Path document : Snippets.documents()) {
            for (Snippets.Block block : Snippets.blocks(document)) {
                boolean code = block.language().matches("java|sh");
                String name = document + " " + block.language();
                if (!block.isOutput() && !(code ? run.contains(document.toString()) : others.containsKey(name))) {
                    forgotten.add(name);
                }
            }
        }
        assertEquals(new TreeSet<String>(), forgotten);
    }

    @Test
    void tutorialHasTenSteps() throws IOException {
        assertEquals(10, Snippets.of(TUTORIAL).size());
    }
}
