// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.RequiresRoot;

/** The addresses of the launcher in memory; none of its memory reaches the helper. */
@ExtendWith(Leaks.class)
final class LauncherMemoryTest {
    private static final int LAST_TABLE = 1 << 21;
    private static final String CODE = "/memfd:umh4j-launcher (deleted)";

    @BeforeEach
    void knownMachine() {
        Need.AMD64.orSkip();
    }

    /** The launcher's mappings. It is held before execve; its pid is known before all mappings exist. */
    private static String maps(SubprocessInfo info) throws UmhException {
        AtomicReference<String> mappings = new AtomicReference<>("");
        info.onCreated(pid -> assertDoesNotThrow(() -> Await.until("the launcher is mapped", () -> {
            mappings.set(read(Path.of("/proc", Long.toString(pid), "maps")));
            return mappings.get().contains(CODE);
        })));
        UsermodeHelper.start(info).close();
        return mappings.get();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SubprocessInfo pausing(int bytes) {
        return SubprocessInfo.of("/bin/sleep", new String[] {"sleep", "60"}, new String[] {"A=" + "x".repeat(bytes)});
    }

    private static long begin(String maps, String name) {
        String line =
                maps.lines().filter(one -> one.endsWith(name)).findFirst().orElseThrow(() -> new AssertionError(maps));
        return Long.parseLong(line.substring(0, line.indexOf('-')), 16);
    }

    @Test
    @RequiresRoot // whom alone a launcher lets read its memory
    void codeAndStackShareTheLastPageTable() throws Exception {
        String maps = maps(pausing(0));
        assertEquals(begin(maps, "[stack]") / LAST_TABLE, begin(maps, CODE) / LAST_TABLE, maps);
    }

    @Test
    @RequiresRoot
    void manyArgumentsDoNotReachTheCode() throws Exception {
        String maps = maps(pausing(100_000));
        assertTrue(begin(maps, "[stack]") - begin(maps, CODE) > 1L << 34, maps);
    }

    /** A hundred stacks of chance: none of them comes where the code is. */
    @ParameterizedTest
    @ValueSource(strings = {"", "personality"})
    void eachOf100StartsSucceeds(String without) throws Exception {
        assertEquals(
                "100\n",
                new Jvm()
                        .option("-Dorg.umh4j.without=" + without)
                        .run(HundredMain.class)
                        .requireSuccess());
    }

    static final class HundredMain {
        public static void main(String[] arguments) {
            int right = 0;
            for (int i = 0; i < 100; i++) {
                SubprocessInfo info = SubprocessInfo.of(
                        "/bin/true", new String[] {"true"}, new String[] {"A=" + "x".repeat(1_300 * i)});
                right += UsermodeHelper.exec(info, UmhWait.PROC) == 0 ? 1 : 0;
            }
            System.out.println(right);
        }
    }

    /** Before its execve, where it is held, and may not be yet. */
    @Test
    @RequiresRoot
    void launcherResetsItsPersonalityBeforeExecve() throws Exception {
        SubprocessInfo info = pausing(0);
        info.onCreated(pid -> {
            Path personality = Path.of("/proc", Long.toString(pid), "personality");
            assertDoesNotThrow(
                    () -> Await.until("personality 0", () -> read(personality).equals("00000000\n")));
        });
        UsermodeHelper.start(info).close();
    }

    @Test
    void stackOfTheHelperIsRandomized() throws Exception {
        Set<Long> stacks = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            RunResult result = UsermodeHelper.run(
                    SubprocessInfo.of("/bin/cat", new String[] {"cat", "/proc/self/maps"}, null),
                    RunOptions.defaults());
            stacks.add(begin(result.stdoutText(), "[stack]"));
        }
        assertNotEquals(1, stacks.size(), "all at " + stacks);
    }
}
