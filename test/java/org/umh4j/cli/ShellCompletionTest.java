// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.support.Jvm;
import org.umh4j.support.Need;

/** The completion of a command line in bash and zsh. */
final class ShellCompletionTest {
    private static final String LINES = """
            umh ex          , umh exec
            umh exec --timeo, umh exec --timeout
            umh exec --stdi , umh exec --stdin
            umh doctor --j  , umh doctor --json
            """;

    /** Values, which zsh completes with a comma behind those of a list. */
    private static final String VALUES = """
            umh exec --caps cap_cho , umh exec --caps cap_chown
            umh exec --unshare ut , umh exec --unshare uts
            umh exec --pdeathsig TER , umh exec --pdeathsig TERM
            umh exec --securebits keep_caps_, umh exec --securebits keep_caps_locked
            umh exec --sched ba , umh exec --sched batch
            umh exec --stdin inh, umh exec --stdin inherit
            umh exec --require-applied thp, umh exec --require-applied thp
            """;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws Exception {
        Files.writeString(
                folder.resolve("umh.bash"),
                new Jvm().run(Main.class, "generate-completion").requireSuccess());
        Files.writeString(
                folder.resolve("_umh"), new Jvm().run(Main.class, "zsh").requireSuccess());
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process shell = new ProcessBuilder(command).redirectErrorStream(true).start();
        shell.getOutputStream().close();
        String out = new String(shell.getInputStream().readAllBytes());
        assertEquals(0, shell.waitFor(), out);
        return out.trim();
    }

    @ParameterizedTest
    @CsvSource(textBlock = LINES + VALUES)
    void bashCompletes(String begun, String completed) throws Exception {
        assertEquals(
                completed.substring(completed.lastIndexOf(' ') + 1),
                run("bash", "-c", """
                source "$1"
                COMP_WORDS=($2) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
                _complete_umh 2>/dev/null # compopt misses the tab
                echo "${COMPREPLY[@]}"
                """, "bash", folder.resolve("umh.bash").toString(), begun));
    }

    /** In a new terminal, since shells complete nothing without one. */
    @ParameterizedTest
    @CsvSource(textBlock = LINES + """
            umh exec --wait n, umh exec --wait none
            """)
    void zshCompletes(String begun, String completed) throws Exception {
        Need.ZSH.orSkip();
        assertEquals("completed", run("zsh", "-f", "-c", """
                zmodload zsh/zpty
                zpty shell "TERM=dumb zsh -f -i"
                zpty -w shell "PS1= fpath=($1 \\$fpath)"
                zpty -w shell "autoload -Uz compinit; compinit -u -D; stty -echo; echo rea''dy"
                zpty -r -m shell line '*ready*'
                zpty -w -n shell "$2"$'\\t'
                zpty -r -m shell line "*$3 *" && echo completed
                zpty -d shell
                """, "zsh", folder.toString(), begun, completed));
    }
}
