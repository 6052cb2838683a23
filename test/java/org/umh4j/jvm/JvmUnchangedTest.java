// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Task;

/** The attributes of helpers never change the JVM. */
final class JvmUnchangedTest {
    private static final int CALLS = 1_000;

    /**
     * With another group: the files below /proc/self belong to it while the process is dumpable, and to root
     * otherwise.
     */
    @Test
    @RequiresRoot
    void callsDoNotChangeTheJvm() throws Exception {
        Jvm jvm = new Jvm().under("setpriv", "--regid=1", "--clear-groups");
        assertEquals("1 {} {}\n", jvm.run(CallsMain.class).requireSuccess());
    }

    /** Prints the group, and each change. */
    static final class CallsMain {
        public static void main(String[] arguments) throws Exception {
            calls(20); // everything is loaded
            Map<String, String> before = state();
            TreeMap<String, Long> descriptors = Leaks.descriptors();
            calls(CALLS);
            Map<String, String> after = state();
            Leaks.assertNothingLeft(descriptors);
            String group = before.get("dumpable");
            before.entrySet().removeAll(state().entrySet());
            after.entrySet().removeAll(state().entrySet());
            System.out.println(group + " " + before + " " + after);
        }
    }

    private static void calls(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            switch (i % 5) {
                case 0 -> UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
                case 1 -> UsermodeHelper.call("/no/such", new String[] {"x"}, null, UmhWait.EXEC);
                case 3 ->
                    UsermodeHelper.exec(
                            ProbeProgram.doing("exit", "0")
                                    .task(Task.defaults()
                                            .cred(Cred.defaults()
                                                    .uid(65_534)
                                                    .gid(65_534)
                                                    .groups(new long[0]))),
                            UmhWait.PROC);
                case 2 -> UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), UmhWait.PROC.killable());
                default -> {
                    try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
                        helper.kill(Signal.TERM);
                    }
                }
            }
        }
    }

    /** The state that a child could change in shared memory or shared tables. */
    private static Map<String, String> state() throws IOException {
        Map<String, String> state = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            String name = line.substring(0, line.indexOf(':'));
            if (name.matches(
                    "Umask|Uid|Gid|Groups|Sig(Blk|Ign|Cgt)|Cap.*|NoNewPrivs|Seccomp.*|Cpus_allowed|THP_enabled")) {
                state.put(name, line);
            }
        }
        state.put("dumpable", dumpable());
        for (String file : new String[] {"oom_score_adj", "coredump_filter", "personality", "timerslack_ns", "sched"}) {
            String text = Files.readString(Path.of("/proc/self", file));
            state.put(
                    file,
                    file.equals("sched") ? text.replaceAll("(?s).*(policy +: +\\d+\\nprio +: +\\d+).*", "$1") : text);
        }
        state.put("limits", Files.readString(Path.of("/proc/self/limits")));
        state.put("cwd", Files.readSymbolicLink(Path.of("/proc/self/cwd")).toString());
        state.put("root", Files.readSymbolicLink(Path.of("/proc/self/root")).toString());
        state.put(
                "session",
                Files.readString(Path.of("/proc/self/stat"))
                        .replaceAll(".*\\) \\w (\\d+ \\d+ \\d+).*", "$1")
                        .trim());
        return state;
    }

    private static String dumpable() throws IOException {
        return Files.getAttribute(Path.of("/proc/self/environ"), "unix:gid").toString();
    }
}
