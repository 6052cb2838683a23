// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/** What helpers are given never shows in the JVM. */
final class JvmUntouchedTest {
    private static final int CALLS = 1_000;

    @Test
    void nothingOfTheJvmChangesByAnyNumberOfCalls() throws Exception {
        calls(20); // everything is loaded
        Map<String, String> before = state();
        TreeMap<String, Long> descriptors = Leaks.descriptors();
        calls(CALLS);
        assertEquals(before, state());
        Leaks.assertNothingLeft(descriptors);
    }

    private static void calls(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            switch (i % 4) {
                case 0 -> UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
                case 1 -> UsermodeHelper.call("/no/such", new String[] {"x"}, null, UmhWait.EXEC);
                case 2 -> UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), UmhWait.PROC.killable());
                default -> {
                    try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                        helper.kill(Signal.TERM);
                    }
                }
            }
        }
    }

    /** What a child could have changed in a memory or in tables that it shares. */
    private static Map<String, String> state() throws IOException {
        Map<String, String> state = new TreeMap<>();
        for (String line : java.nio.file.Files.readAllLines(Path.of("/proc/self/status"))) {
            String name = line.substring(0, line.indexOf(':'));
            if (name.matches("Umask|Uid|Gid|Groups|Sig(Blk|Ign|Cgt)|Cap.*|NoNewPrivs|Seccomp.*|Cpus_allowed|THP_enabled")) {
                state.put(name, line);
            }
        }
        // The owner of /proc/self's files is root unless the process is dumpable.
        state.put("environ", java.nio.file.Files.getAttribute(Path.of("/proc/self/environ"), "unix:uid").toString());
        state.put("dumpable", dumpable());
        for (String file : new String[] {"oom_score_adj", "coredump_filter", "personality", "timerslack_ns", "sched"}) {
            String text = java.nio.file.Files.readString(Path.of("/proc/self", file));
            state.put(file, file.equals("sched") ? text.replaceAll("(?s).*(policy +: +\\d+\\nprio +: +\\d+).*", "$1") : text);
        }
        state.put("limits", java.nio.file.Files.readString(Path.of("/proc/self/limits")));
        state.put("cwd", java.nio.file.Files.readSymbolicLink(Path.of("/proc/self/cwd")).toString());
        state.put("root", java.nio.file.Files.readSymbolicLink(Path.of("/proc/self/root")).toString());
        state.put("session", java.nio.file.Files.readString(Path.of("/proc/self/stat")).replaceAll(".*\\) \\w (\\d+ \\d+ \\d+).*", "$1").trim());
        return state;
    }

    /** A process that is not dumpable has no readable memory map size in its own eyes: VmFlags say dd; prctl would, too. */
    private static String dumpable() throws IOException {
        return java.nio.file.Files.getAttribute(Path.of("/proc/self/mem"), "unix:mode") + " "
                + java.nio.file.Files.getAttribute(Path.of("/proc/self/mem"), "unix:uid");
    }
}
