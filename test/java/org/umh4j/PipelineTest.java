// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Shell;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** Helpers connected by pipes: {@code a | b | c}. */
@ExtendWith(Leaks.class)
final class PipelineTest {
    private static String out(Pipeline pipeline) throws Exception {
        return new String(pipeline.last().stdout().readAllBytes(), StandardCharsets.US_ASCII);
    }

    private static SubprocessInfo last(String script) {
        return Shell.script(script)
                .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)));
    }

    @Test
    void eachHelperReadsTheOutputOfTheOneBefore() throws Exception {
        try (Pipeline pipeline = Pipeline.start(
                Shell.script("echo c; echo a; echo b; exit 1"),
                Shell.script("sort; exit 2"),
                last("tr a-z A-Z; exit 3"))) {
            assertEquals("A\nB\nC\n", out(pipeline));
            List<WaitStatus> statuses = pipeline.waitFor();
            assertEquals("[exit code 1, exit code 2, exit code 3]", statuses.toString());
            assertEquals(3, pipeline.helpers().size());
            assertEquals(statuses, pipeline.waitFor(Duration.ZERO).orElseThrow());
        }
    }

    @Test
    void firstHelperMayReadFromTheJvm() throws Exception {
        try (Pipeline pipeline = Pipeline.start(
                ProbeProgram.doing("cat")
                        .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0))),
                ProbeProgram.doing("cat"),
                last("wc -c"))) {
            pipeline.first().stdin().write(new byte[1_000_000]);
            pipeline.first().stdin().close();
            assertEquals("1000000", out(pipeline).trim());
            assertTrue(pipeline.waitFor().stream().allMatch(WaitStatus::success));
        }
    }

    @Test
    void writerDiesOfSigpipeWhenItsReaderEnds() throws Exception {
        try (Pipeline pipeline = Pipeline.start(Shell.script("exec yes"), last("head -n 1"))) {
            assertEquals("y\n", out(pipeline));
            List<WaitStatus> statuses = pipeline.waitFor(Await.PATIENCE).orElseThrow();
            assertEquals(13, statuses.get(0).signal());
            assertTrue(statuses.get(1).success());
        }
    }

    @Test
    void readerSeesEndOfFileWhenItsWriterDies() throws Exception {
        try (Pipeline pipeline = Pipeline.start(ProbeProgram.doing("pause"), last("cat; echo end"))) {
            pipeline.first().kill(Signal.KILL);
            assertEquals("end\n", out(pipeline));
            assertEquals("[killed by SIGKILL, exit code 0]", pipeline.waitFor().toString());
        }
    }

    @Test
    void twentyHelpersHaveOnlyTheirPipesAndDevNull() throws Exception {
        SubprocessInfo[] calls = new SubprocessInfo[20];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = Shell.script(i == 0 ? "ls /proc/self/fd | wc -w" : "cat; ls /proc/self/fd | wc -w");
        }
        calls[19].task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)));
        try (Pipeline pipeline = Pipeline.start(calls)) {
            assertEquals("4\n".repeat(20), out(pipeline)); // 0 to 2, and the directory that ls reads
        }
    }

    @Test
    void endedOrInterruptedWaitKillsNothing() throws Exception {
        try (Pipeline pipeline = Pipeline.start(ProbeProgram.doing("pause"), ProbeProgram.doing("pause"))) {
            assertEquals(Optional.empty(), pipeline.waitFor(Duration.ofMillis(20)));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, pipeline::waitFor);
            assertTrue(pipeline.helpers().stream().allMatch(Helper::isAlive));
        }
    }

    @Test
    void closeKillsAllHelpers() throws Exception {
        Pipeline pipeline =
                Pipeline.start(ProbeProgram.doing("pause"), ProbeProgram.doing("pause"), ProbeProgram.doing("pause"));
        pipeline.close();
        for (Helper helper : pipeline.helpers()) {
            assertEquals(9, helper.status().orElseThrow().signal());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void failedStartOfOneEndsTheOthers(int failing) throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        List<SubprocessInfo> calls = new ArrayList<>();
        AtomicInteger cleanups = new AtomicInteger();
        for (int i = 0; i < 4; i++) {
            SubprocessInfo call = i == failing
                    ? SubprocessInfo.of("/no/such/program", new String[] {"x"}, null)
                    : ProbeProgram.doing("pause");
            calls.add(call.cleanup(info -> cleanups.incrementAndGet()));
        }
        UmhException failure =
                assertThrows(UmhException.class, () -> Pipeline.start(calls.toArray(SubprocessInfo[]::new)));
        assertTrue(failure.getMessage().contains("/no/such/program"), failure.getMessage());
        assertEquals(UmhStage.EXEC, failure.stage());
        assertEquals(failing + 1, cleanups.get(), "of those that were begun");
        for (int i = 0; i < failing; i++) {
            assertFalse(Pid.isRunning(calls.get(i).pid()));
        }
        assertEquals(before, Leaks.descriptors());
    }

    /** For each kind of exception of an init function. */
    @Test
    void exceptionOfAnInitEndsTheOthers() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (Throwable odd : new Throwable[] {new IllegalStateException("odd"), new StackOverflowError("odd")}) {
            SubprocessInfo second = ProbeProgram.doing("pause").init((info, cred) -> {
                if (odd instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) odd;
            });
            assertThrows(
                    odd.getClass(),
                    () -> Pipeline.start(ProbeProgram.doing("pause"), second, ProbeProgram.doing("pause")));
        }
        assertEquals(before, Leaks.descriptors());
    }

    @Test
    void invalidPipelineIsRejectedBeforeAnyStart() {
        SubprocessInfo plain = ProbeProgram.doing("pause");
        SubprocessInfo reads = ProbeProgram.doing("pause")
                .task(Task.defaults().descriptors(Descriptors.none().devNull(0)));
        SubprocessInfo writes = ProbeProgram.doing("pause")
                .task(Task.defaults().descriptors(Descriptors.none().devNull(1)));
        for (SubprocessInfo[] calls : new SubprocessInfo[][] {{}, {plain}, {plain, reads}, {writes, plain}}) {
            assertThrows(IllegalArgumentException.class, () -> Pipeline.start(calls));
        }
        assertEquals(0, plain.pid());
    }

    @Test
    void failedPipeReportsItsErrnoAndLeaksNothing() throws Exception {
        String out = new Jvm()
                .under("prlimit", "--nofile=60:60")
                .option("-XX:-MaxFDLimit")
                .run(FewDescriptorsMain.class)
                .requireSuccess();
        assertEquals("EMFILE, 0 left\n", out);
    }

    /**
     * A pipeline that is too long for its descriptors; where it fails depends on how many the JVM has open itself.
     * Some JVMs
     * have forty.
     */
    static final class FewDescriptorsMain {
        public static void main(String[] arguments) throws Exception {
            Pipeline.start(ProbeProgram.doing("exit", "0"), ProbeProgram.doing("exit", "0"))
                    .close();
            assertThrows(
                    UmhException.class,
                    () -> Pipeline.start(
                            SubprocessInfo.of("/no", new String[] {"x"}, null), ProbeProgram.doing("pause")));
            TreeMap<String, Long> before = Leaks.descriptors();
            SubprocessInfo[] calls = new SubprocessInfo[80];
            for (int i = 0; i < calls.length; i++) {
                calls[i] = ProbeProgram.doing("pause");
            }
            UmhException failure = assertThrows(UmhException.class, () -> Pipeline.start(calls));
            TreeMap<String, Long> after = Leaks.descriptors();
            // The launch itself takes descriptors too: at which of both it fails is a matter of parity.
            System.out.println(
                    failure.errnoName() + ", " + (after.equals(before) ? "0" : before + " " + after) + " left");
        }
    }
}
