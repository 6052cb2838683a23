// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;

/** {@code umh driver} between a standard input and a standard output. */
@Timeout(60)
final class DriverCommandTest {
    @TempDir
    private Path folder;

    private record Outcome(int exitCode, byte[] out, String err) {
        String text() {
            return new String(out, StandardCharsets.UTF_8);
        }
    }

    private Path blob(byte[] program) throws IOException {
        return Files.write(folder.resolve("blob"), program);
    }

    private Outcome umh(byte[] input, Path blob, String... rest) throws Exception {
        List<String> command = new ArrayList<>(new Jvm().command(Main.class, "driver"));
        int options = (int)
                Arrays.stream(rest).takeWhile(word -> word.startsWith("-")).count();
        command.addAll(List.of(rest).subList(0, options));
        command.add(blob.toString());
        command.addAll(List.of(rest).subList(options, rest.length));
        Path err = folder.resolve("err");
        Process umh = new ProcessBuilder(command).redirectError(err.toFile()).start();
        CompletableFuture<byte[]> out = CompletableFuture.supplyAsync(() -> all(umh));
        try (var in = umh.getOutputStream()) {
            in.write(input);
        } catch (IOException e) {
            // a driver need not read it
        }
        assertTrue(umh.waitFor(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS), () -> "umh hangs");
        return new Outcome(umh.exitValue(), out.get(), Files.readString(err));
    }

    private static byte[] all(Process process) {
        try {
            return process.getInputStream().readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void driverIsConnectedToStandardInputAndOutput() throws Exception {
        byte[] bytes = new byte[5 << 20];
        new Random(1).nextBytes(bytes);
        Outcome outcome = umh(bytes, blob(DriverBlobs.probe()), "cat");
        assertEquals(0, outcome.exitCode(), outcome.err());
        assertArrayEquals(bytes, outcome.out());
    }

    @ParameterizedTest
    @CsvSource({"exit 0, 0", "exit 3, 3", "kill -9 $$, 137", "kill -15 $$, 143"})
    void exitStatusIsThatOfTheDriver(String script, int status) throws Exception {
        assertEquals(status, umh(new byte[0], blob(DriverBlobs.script(script))).exitCode());
    }

    @ParameterizedTest
    @CsvSource({"text, 126, ENOEXEC", "#!/no/such/interpreter, 127, ENOENT", "'', 125, an empty blob is no program"})
    void invalidProgramIsReported(String text, int status, String message) throws Exception {
        Outcome outcome = umh(new byte[0], blob(text.getBytes(StandardCharsets.UTF_8)));
        assertEquals(status, outcome.exitCode());
        assertTrue(outcome.err().startsWith("umh: blob: ") && outcome.err().contains(message), outcome.err());
    }

    @Test
    void missingProgramIsReported() throws Exception {
        Outcome outcome = umh(new byte[0], folder.resolve("nothing"));
        assertEquals(127, outcome.exitCode());
        assertTrue(outcome.err().contains("no such file"), outcome.err());
    }

    @Test
    @RequiresRoot
    void optionsOfExecApplyToADriver() throws Exception {
        byte[] script = DriverBlobs.script("echo $A; grep -E '^(Uid|NoNewPrivs)' /proc/self/status; echo said >&2");
        Outcome outcome = umh(
                new byte[0],
                blob(script),
                "--uid=65534",
                "--gid=65534",
                "--no-new-privs",
                "--env=A=1",
                "--stderr=inherit");
        assertEquals("1\nUid:\t65534\t65534\t65534\t65534\nNoNewPrivs:\t1\n", outcome.text());
        assertEquals("said\n", outcome.err());
    }

    /** Dies at every line but the word "end"; each life reads one line. */
    @Test
    void supervisedDriverIsRestartedUntilItSucceeds() throws Exception {
        byte[] script = DriverBlobs.script("read line", "echo $$ got $line", "[ \"$line\" = end ] || kill -9 $$");
        Process umh = new ProcessBuilder(new Jvm()
                        .command(
                                Main.class,
                                "driver",
                                "--supervise",
                                blob(script).toString()))
                .redirectError(folder.resolve("err").toFile())
                .start();
        var out = umh.inputReader();
        int restarts = 0;
        for (String line : List.of("one", "two", "end")) {
            umh.outputWriter().write(line + "\n");
            umh.outputWriter().flush();
            String answer = out.readLine();
            assertTrue(answer.matches("\\d+ got " + line), answer);
            restarts += line.equals("end") ? 0 : 1;
            awaitLines(folder.resolve("err"), restarts); // what is written to a driver that dies is gone with it
        }
        assertTrue(umh.waitFor(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
        assertEquals(0, umh.exitValue());
        List<String> err = Files.readAllLines(folder.resolve("err"));
        assertEquals("umh: blob: killed by SIGKILL; restart 1 in 100 ms", err.get(0));
        assertEquals(2, err.size(), err.toString());
    }

    private static void awaitLines(Path file, int count) throws Exception {
        while (Files.readAllLines(file).size() < count) {
            Thread.sleep(5);
        }
    }

    @Test
    void supervisedDriverIsNotRestartedBeyondTheLimit() throws Exception {
        Outcome outcome = umh(new byte[0], blob(DriverBlobs.script("exit 9")), "--supervise", "--restarts=1");
        assertEquals(9, outcome.exitCode());
        assertEquals("umh: blob: exit code 9; restart 1 in 100 ms\n", outcome.err());
    }

    @Test
    void driverGetsABrokenPipeWhenTheReaderIsGone() throws Exception {
        String umh = String.join(
                " ",
                new Jvm()
                        .command(
                                Main.class,
                                "driver",
                                blob(DriverBlobs.script("yes", "echo $? >&2")).toString()));
        Process shell =
                new ProcessBuilder("bash", "-c", umh + " </dev/null | head -n 1; echo ${PIPESTATUS[0]}").start();
        String out = new String(shell.getInputStream().readAllBytes());
        assertTrue(out.startsWith("y\n"), out);
        assertTrue(shell.waitFor(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
}
