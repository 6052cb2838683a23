// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Shell;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.Task;

/** A helper from start to end, with its output: {@link UsermodeHelper#run}. */
@ExtendWith(Leaks.class)
final class HelperRunTest {
    /** Long enough for a shell to print a word, and short enough for a test. */
    private static final Duration LIMIT = Duration.ofSeconds(1);

    private static final RunOptions PATIENT = RunOptions.defaults().timeout(Await.PATIENCE);

    private static RunResult run(String script, String... arguments) throws Exception {
        return UsermodeHelper.run(Shell.script(script, arguments), PATIENT);
    }

    @Test
    void resultHasStatusStreamsTimesAndUsage() throws Exception {
        Instant before = Instant.now();
        RunResult result = run("echo out; echo err >&2; sleep 0.2; exit 3");
        assertEquals(3, result.status().exitCode());
        assertEquals("out\n", result.stdoutText());
        assertEquals("err\n", result.stderrText());
        assertFalse(result.stdoutTruncated() || result.stderrTruncated());
        assertFalse(result.startTime().isBefore(before) || result.startTime().isAfter(Instant.now()));
        assertTrue(result.elapsed().compareTo(Duration.ofMillis(100)) > 0, () -> "it slept twice as long: " + result);
        assertTrue(result.elapsed().compareTo(Duration.between(before, Instant.now())) <= 0);
        assertEquals(List.of(), result.signalsSent());
        assertTrue(result.usage().orElseThrow().minorFaults() > 0);
    }

    @Test
    void requireSuccessThrowsOnANonzeroExitCode() throws Exception {
        RunResult good = run("exit 0");
        assertSame(good, good.requireSuccess());
        RunResult bad = run("echo so far; kill -9 $$");
        HelperFailedException failure = assertThrows(HelperFailedException.class, bad::requireSuccess);
        assertEquals("so far\n", failure.result().stdoutText());
        assertEquals("killed by SIGKILL", failure.getMessage());
    }

    /** Ten times what a pipe holds is written; none of it may keep the helper from its end. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, true",
        "1, 1, true",
        "4096, 4096, true",
        "655359, 655359, true",
        "655360, 655360, false",
        "655361, 655360, false"
    })
    void outputBeyondTheLimitIsReadAndDropped(int limit, int kept, boolean truncated) throws Exception {
        RunResult result = UsermodeHelper.run(
                Shell.script("head -c 655360 /dev/zero | tr '\\0' x; head -c 655360 /dev/zero | tr '\\0' y >&2"),
                PATIENT.outputLimit(limit));
        assertTrue(result.status().success());
        assertEquals("x".repeat(kept), result.stdoutText());
        assertEquals("y".repeat(kept), result.stderrText());
        assertEquals(truncated, result.stdoutTruncated());
        assertEquals(truncated, result.stderrTruncated());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65_536, 65_537, 3_000_000})
    void inputIsTheBytesAndThenEndOfFile(int size) throws Exception {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        SubprocessInfo info = ProbeProgram.doing("cat");
        RunResult result = UsermodeHelper.run(info, PATIENT.input(bytes).outputLimit(size));
        assertArrayEquals(bytes, result.stdout());
        assertFalse(result.stdoutTruncated());
    }

    @Test
    void helperNeedNotReadItsInput() throws Exception {
        byte[] much = new byte[1 << 20];
        assertEquals(
                5,
                UsermodeHelper.run(ProbeProgram.doing("exit", "5"), PATIENT.input(much))
                        .status()
                        .exitCode());
        RunResult result = UsermodeHelper.run(Shell.script("exec <&-; echo on; exit 6"), PATIENT.input(much));
        assertEquals(6, result.status().exitCode());
        assertEquals("on\n", result.stdoutText());
    }

    @Test
    void inputChannelIsReadFromItsPosition() throws Exception {
        Path file = ProbeProgram.FOLDER.resolve("input");
        Files.writeString(file, "first second");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.position(6);
            assertEquals(
                    "second",
                    UsermodeHelper.run(ProbeProgram.doing("cat"), PATIENT.input(channel))
                            .stdoutText());
            assertTrue(channel.isOpen(), "it is the caller's");
        }
        Pipe pipe = Pipe.open();
        pipe.sink().write(ByteBuffer.wrap(new byte[] {'a', 'b'}));
        pipe.sink().close();
        assertEquals(
                "ab",
                UsermodeHelper.run(ProbeProgram.doing("cat"), PATIENT.input(pipe.source()))
                        .stdoutText());
        pipe.source().close();
    }

    @Test
    void withoutInputTheHelperReadsEndOfFile() throws Exception {
        assertEquals("", UsermodeHelper.run(ProbeProgram.doing("cat"), PATIENT).stdoutText());
        SubprocessInfo piped = ProbeProgram.doing("cat")
                .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0)));
        assertEquals("", UsermodeHelper.run(piped, PATIENT).stdoutText());
    }

    @Test
    void descriptorsOfTheTaskStay() throws Exception {
        Path file = ProbeProgram.FOLDER.resolve("own");
        Descriptors own = Descriptors.none()
                .pipeToJvm(2)
                .duplicate(1, 2)
                .open(5, file.toString(), StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        RunResult result = UsermodeHelper.run(
                Shell.script("echo out; echo err >&2; echo file >&5")
                        .task(Task.defaults().descriptors(own)),
                PATIENT);
        assertEquals("", result.stdoutText());
        assertEquals("out\nerr\n", result.stderrText());
        assertEquals("file\n", Files.readString(file));
    }

    @Test
    void pipesThatRunDoesNotServeAreRejected() {
        for (Descriptors files : new Descriptors[] {
            Descriptors.none().pipeToJvm(3),
            Descriptors.none().pipeFromJvm(3),
            Descriptors.none().pipeFromJvm(1),
            Descriptors.none().pipeToJvm(0)
        }) {
            SubprocessInfo info =
                    ProbeProgram.doing("exit", "0").task(Task.defaults().descriptors(files));
            assertThrows(IllegalArgumentException.class, () -> UsermodeHelper.run(info, PATIENT));
            assertEquals(0, info.pid());
        }
        assertThrows(IllegalArgumentException.class, () -> RunOptions.defaults().outputLimit(-1));
        assertThrows(IllegalArgumentException.class, () -> RunOptions.defaults().timeout(Duration.ofNanos(-1)));
        assertThrows(IllegalArgumentException.class, () -> RunOptions.defaults().grace(Duration.ofNanos(-1)));
    }

    @Test
    void failedStartNamesItsStage() {
        SubprocessInfo info = SubprocessInfo.of("/no/such/program", new String[] {"x"}, null);
        UmhException failure =
                assertThrows(UmhException.class, () -> UsermodeHelper.run(info, PATIENT.input(new byte[9])));
        assertEquals(UmhStage.EXEC, failure.stage());
    }

    @Test
    void timeoutSendsSigtermAndKeepsTheOutput() {
        SubprocessInfo info = Shell.script("echo out; echo err >&2; exec sleep 1000");
        HelperTimeoutException failure =
                assertThrows(HelperTimeoutException.class, () -> UsermodeHelper.run(info, LIMIT));
        assertEquals("/bin/sh: SIGTERM after PT1S", failure.getMessage());
        assertEquals(15, failure.result().status().signal());
        assertEquals("out\n", failure.result().stdoutText());
        assertEquals("err\n", failure.result().stderrText());
        assertSent(failure.result(), Signal.TERM);
    }

    /** These signals, in their order, none before the limit and all before the end. */
    private static void assertSent(RunResult result, Signal... signals) {
        assertEquals(
                List.of(signals),
                result.signalsSent().stream().map(RunResult.SentSignal::signal).toList());
        Duration before = LIMIT;
        for (RunResult.SentSignal sent : result.signalsSent()) {
            assertTrue(sent.after().compareTo(before) >= 0, () -> sent + " in " + result);
            before = sent.after();
        }
        assertTrue(result.elapsed().compareTo(before) >= 0, result::toString);
    }

    @Test
    void outputAndStatusOfTheGracePeriodCount() {
        SubprocessInfo info =
                Shell.script("trap 'echo last words; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        HelperTimeoutException failure = assertThrows(
                HelperTimeoutException.class,
                () -> UsermodeHelper.run(
                        info, RunOptions.defaults().timeout(LIMIT).grace(Await.PATIENCE)));
        assertEquals(7, failure.result().status().exitCode());
        assertEquals("ready\nlast words\n", failure.result().stdoutText());
        assertSent(failure.result(), Signal.TERM);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 200})
    void sigkillAfterTheGracePeriodLosesNoOutput(int graceMillis) {
        SubprocessInfo info = ProbeProgram.doing("ignore", "15", "print", "deaf", "pause");
        RunOptions capture = RunOptions.defaults().timeout(LIMIT).grace(Duration.ofMillis(graceMillis));
        HelperTimeoutException failure =
                assertThrows(HelperTimeoutException.class, () -> UsermodeHelper.run(info, capture));
        assertEquals(9, failure.result().status().signal());
        assertEquals("deaf\n", failure.result().stdoutText());
        assertSent(failure.result(), Signal.TERM, Signal.KILL);
        assertTrue(failure.getMessage().matches(".*: SIGTERM after PT1S, SIGKILL PT.*S later"), failure.getMessage());
    }

    @Test
    void sigtermReachesAsFarAsTheScope() throws Exception {
        SubprocessInfo info =
                Shell.script("sleep 1000 & echo $!; wait").task(Task.defaults().scope(KillScope.GROUP));
        HelperTimeoutException failure =
                assertThrows(HelperTimeoutException.class, () -> UsermodeHelper.run(info, LIMIT));
        long grandchild = Long.parseLong(failure.result().stdoutText().trim());
        Await.until("the grandchild has gone", () -> !Pid.isRunning(grandchild));
    }

    @Test
    @RequiresRoot
    void unsignallableHelperFailsWithItsOutput() throws Exception {
        Path program = ProbeProgram.FOLDER.resolve("probe-setuid");
        Files.copy(Path.of(ProbeProgram.path()), program);
        assertEquals(
                0,
                new ProcessBuilder("chmod", "4755", program.toString()).start().waitFor());
        String out = new Jvm()
                .asNobody()
                .run(AnotherUsersMain.class, program.toString())
                .requireSuccess();
        if (out.equals("125\n")) {
            Need.SET_USER_ID.missing();
        }
        assertEquals("EPERM, exit code 0, said\n", out);
    }

    /** Runs as uid 65534 with a helper that becomes root, so that this JVM can't signal it; it ends by itself. */
    static final class AnotherUsersMain {
        public static void main(String[] arguments) throws Exception {
            SubprocessInfo info = SubprocessInfo.of(
                    arguments[0],
                    ProbeProgram.argv("setuid", "0", "print", "said", "sleep", "3000", "exit", "0"),
                    null);
            try {
                System.out.println(UsermodeHelper.run(info, LIMIT).status().exitCode());
            } catch (HelperFailedException e) {
                RunResult result = e.result();
                System.out.print(((UmhException) e.getCause()).errnoName() + ", " + result.status() + ", "
                        + result.stdoutText());
            }
        }
    }

    @Test
    void noTimeoutIsTooLarge() throws Exception {
        RunOptions forever = RunOptions.defaults()
                .timeout(Duration.ofSeconds(Long.MAX_VALUE))
                .grace(Duration.ofSeconds(Long.MAX_VALUE));
        assertTrue(UsermodeHelper.run(ProbeProgram.doing("exit", "0"), forever)
                .status()
                .success());
        assertTrue(UsermodeHelper.run(ProbeProgram.doing("exit", "0"), RunOptions.defaults())
                .status()
                .success());
    }

    @Test
    void timeoutThatRacesTheExitGivesOneOfBoth() throws Exception {
        for (int i = 0; i < 150; i++) {
            SubprocessInfo info = ProbeProgram.doing("print", "said", "sleep", "5", "exit", "4")
                    .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)));
            RunResult result;
            try {
                result = UsermodeHelper.run(info, Duration.ofMillis(3 + i / 30));
                assertEquals(4, result.status().exitCode());
            } catch (HelperTimeoutException e) {
                result = e.result();
                if (result.status().lost()) { // the time was over before the program began
                    assertInstanceOf(UmhException.class, e.getCause());
                    assertEquals("", result.stdoutText());
                    continue;
                }
                assertTrue(
                        result.status().exited()
                                ? result.status().exitCode() == 4
                                : result.status().signal() == 15,
                        () -> "status " + e.result());
            }
            assertTrue(result.stdoutText().equals("said\n") || result.status().signaled(), result::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"echo $$; exec sleep 1000", "echo $$; exec yes", "echo $$; exec <&0 cat >&2"})
    void interruptKillsTheHelper(String script) throws Exception {
        SubprocessInfo info = Shell.script(script);
        AtomicReference<Throwable> seen = new AtomicReference<>();
        Thread runner = new Thread(() -> {
            try {
                UsermodeHelper.run(info, RunOptions.defaults().input(new byte[50_000_000]));
            } catch (IOException | InterruptedException e) {
                seen.set(e);
            }
        });
        runner.start();
        Await.until("it runs", () -> info.pid() > 0 && Pid.isRunning(info.pid()));
        runner.interrupt();
        Await.end(runner);
        // The third may have come to its end before the interrupt.
        assertTrue(
                seen.get() instanceof InterruptedException || script.contains("cat") && seen.get() == null,
                "" + seen.get());
        assertFalse(Pid.isRunning(info.pid()));
    }

    @Test
    void interruptBeforeTheCallKillsTheHelper() {
        SubprocessInfo info = ProbeProgram.doing("pause");
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> UsermodeHelper.run(info, PATIENT));
        assertFalse(Thread.interrupted(), "the exception says it");
        assertFalse(Pid.isRunning(info.pid()));
    }

    /** The daemon holds the output, quietly or busily; the helper has ended, and what it wrote is there. */
    @ParameterizedTest
    @ValueSource(strings = {"sleep 1000", "yes"})
    void grandchildThatHoldsTheOutputDelaysNothing(String daemon) throws Exception {
        RunResult result = UsermodeHelper.run(Shell.script(daemon + " & echo $! >&2; echo done >&2; exit 3"), PATIENT);
        assertEquals(3, result.status().exitCode());
        String[] lines = result.stderrText().split("\n");
        assertEquals("done", lines[1], "what it said after its daemon was started");
        ProcessHandle.of(Long.parseLong(lines[0])).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Test
    void textIsDecodedByTheSystemsEncoding() throws Exception {
        RunResult result = UsermodeHelper.run(ProbeProgram.doing("cat"), PATIENT.input(new byte[] {'a', 0, 'b'}));
        assertArrayEquals(new byte[] {'a', 0, 'b'}, result.stdout());
        assertEquals("a\0b", result.stdoutText());
        assertEquals("a\0b", new String(result.stdout(), StandardCharsets.US_ASCII));
    }
}
