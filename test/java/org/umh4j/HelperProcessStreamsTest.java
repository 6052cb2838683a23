// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.Shell;

/** The streams of a helper's view as a {@link Process} behave as those of a process of {@link ProcessBuilder} do. */
@ExtendWith(Leaks.class)
final class HelperProcessStreamsTest extends ProcessFixture {
    @ParameterizedTest
    @EnumSource
    void streamsCarryTextBothWays(Maker maker) throws Exception {
        Process process = start(maker, "read x; echo out $x; echo err $x >&2; cat");
        try (Writer in = process.outputWriter()) {
            in.write("word\nrest");
        }
        try (BufferedReader out = process.inputReader();
                BufferedReader err = process.errorReader()) {
            assertEquals("out word", out.readLine());
            assertEquals("rest", out.readLine());
            assertEquals(null, out.readLine());
            assertEquals("err word", err.readLine());
        }
        assertEquals(0, process.waitFor());
    }

    @ParameterizedTest
    @EnumSource
    void unreadBytesOutliveTheProcess(Maker maker) throws Exception {
        for (int size : new int[] {0, 1, 4_095, 4_096, 65_536}) {
            Process process = start(maker, "head -c " + size + " /dev/zero; head -c " + size + " /dev/zero >&2");
            assertEquals(0, process.waitFor());
            assertArrayEquals(new byte[size], process.getInputStream().readAllBytes());
            assertArrayEquals(new byte[size], process.getErrorStream().readAllBytes());
            assertEquals(-1, process.getInputStream().read());
            assertThrows(IOException.class, () -> {
                process.getOutputStream().write(1);
                process.getOutputStream().flush();
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void destroyClosesTheStreams(Maker maker) throws Exception {
        Process process = start(maker, "echo said; exec sleep 1000");
        process.getOutputStream().write(new byte[100]); // buffered: destroy must not wait for anybody to take it
        process.destroy();
        process.waitFor();
        assertThrows(IOException.class, () -> process.getInputStream().read());
        assertThrows(IOException.class, () -> process.getErrorStream().read());
        assertThrows(IOException.class, () -> {
            process.getOutputStream().write(1);
            process.getOutputStream().flush();
        });
    }

    @ParameterizedTest
    @EnumSource
    void blockedReaderSeesTheEndOfADestroyedProcess(Maker maker) throws Exception {
        Process process = start(maker, "exec sleep 1000");
        AtomicReference<Object> seen = new AtomicReference<>();
        Thread reader = reader(process.getInputStream(), seen);
        Thread.sleep(30); // long enough to be in the read; it is right before, too
        process.destroy();
        Await.end(reader);
        assertTrue(seen.get() instanceof IOException || seen.get().equals(-1), () -> "" + seen.get());
    }

    @ParameterizedTest
    @EnumSource
    void closedStreamsThrow(Maker maker) throws Exception {
        Process process = start(maker, "exec sleep 1000");
        assertEquals(
                "process hasn't exited",
                assertThrows(IllegalThreadStateException.class, process::exitValue)
                        .getMessage());
        process.destroy();
        assertSaysClosed(() -> process.getInputStream().read());
        assertSaysClosed(() -> process.getInputStream().read(new byte[10]));
        assertSaysClosed(() -> process.getInputStream().available());
        assertSaysClosed(() -> process.getErrorStream().read());
        process.waitFor();
        assertSaysClosed(() -> writeNow(process, 1));
    }

    private static void writeNow(Process process, int size) throws IOException {
        process.getOutputStream().write(new byte[size]);
        process.getOutputStream().flush();
    }

    private static void assertSaysClosed(Executable call) {
        String message = assertThrows(IOException.class, call).getMessage();
        assertTrue("stream closed".equalsIgnoreCase(message), message); // the JDK writes it in both ways
    }

    @Test
    void withoutPipesOutputIsEmptyAndInputIsClosed() throws Exception {
        helpers.add(UsermodeHelper.start(Shell.script("exit 0")));
        processes.add(helpers.get(0).toProcess());
        processes.add(new ProcessBuilder("true")
                .inheritIO()
                .redirectInput(new File("/dev/null"))
                .start());
        for (Process process : processes) {
            for (InputStream output : List.of(process.getInputStream(), process.getErrorStream())) {
                assertEquals(-1, output.read());
                assertEquals(0, output.available());
                output.close();
                assertEquals(-1, output.read(), "closing changes nothing");
            }
            assertSaysClosed(() -> process.getOutputStream().write(1));
            assertSaysClosed(() -> process.getOutputStream().write(new byte[2]));
            process.getOutputStream().flush();
            process.getOutputStream().close();
            assertEquals(0, process.waitFor());
        }
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsNoReadAndNoWrite(Maker maker) throws Exception {
        Process process =
                start(maker, "read x; sleep 0.1; echo got $x; sleep 0.1; cat >/dev/null; sleep 0.1; echo rest");
        Thread.currentThread().interrupt();
        process.getOutputStream().write("it\n".getBytes(StandardCharsets.US_ASCII));
        process.getOutputStream().flush();
        assertEquals("got it", process.inputReader().readLine());
        writeNow(process, 1 << 20);
        process.getOutputStream().close();
        assertEquals("rest", process.inputReader().readLine());
        assertTrue(Thread.interrupted(), "it stays pending");
        assertEquals(0, process.waitFor());
    }

    /** A process that ends, and a child of it that holds its pipes and goes on when a file is there. */
    private Process leaving(Path file, String late) throws IOException {
        Files.deleteIfExists(file);
        return start(Maker.HELPER, "(" + until(file) + late + ") & echo early; exit 3");
    }

    private static String until(Path file) {
        // It ends with the directory of the test, also when the test has failed.
        return "while [ ! -e " + file + " ] && [ -d " + file.getParent() + " ]; do sleep 0.05; done; ";
    }

    /** The JDK may end it with the process, by a race: it is no oracle here. */
    @Test
    void readerGetsAllBytesAfterTheEndOfTheProcess(@TempDir Path folder) throws Exception {
        for (boolean begunBefore : new boolean[] {true, false}) {
            Process process = leaving(folder.resolve("go"), "echo late; echo later");
            BufferedReader reader = process.inputReader();
            List<String> seen = new ArrayList<>();
            if (!begunBefore) {
                assertEquals(3, process.waitFor());
            }
            Thread reading = new Thread(() -> reader.lines().forEach(seen::add));
            reading.start();
            Await.blocked(reading);
            assertEquals(3, process.waitFor());
            Files.createFile(folder.resolve("go"));
            Await.end(reading);
            assertEquals(List.of("early", "late", "later"), seen);
        }
    }

    @Test
    void writerGoesOnAfterTheEndOfTheProcess(@TempDir Path folder) throws Exception {
        Path leave = folder.resolve("leave");
        Process process = start(
                Maker.HELPER,
                "exec 3<&0; (" + until(folder.resolve("go")) + "wc -c <&3 >&2) & " + until(leave) + "exit 3");
        AtomicReference<Object> failure = new AtomicReference<>();
        Thread writing = new Thread(() -> {
            try {
                writeNow(process, 1 << 20);
            } catch (IOException e) {
                failure.set(e);
            }
        });
        writing.start();
        Await.blocked(writing);
        Files.createFile(leave);
        assertEquals(3, process.waitFor());
        Files.createFile(folder.resolve("go"));
        Await.end(writing);
        assertEquals(null, failure.get());
        assertEquals("" + (1 << 20), process.errorReader().readLine().trim(), "and it was at its end after that");
        assertSaysClosed(() -> writeNow(process, 1));
    }

    /** There are more readers than are awaited. Bytes written before the end arrive all the same. */
    @Test
    void descriptorsAreClosedEvenIfOthersHoldThePipes(@TempDir Path folder) throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (int i = 0; i < 50; i++) {
            leaving(folder.resolve("go"), "exit");
        }
        for (Process process : processes) {
            assertEquals(3, process.waitFor());
        }
        Await.until("all are given back", () -> Leaks.descriptors().equals(before));
        Files.createFile(folder.resolve("go"));
        for (Process process : processes) {
            assertEquals(0, process.getErrorStream().available());
            assertEquals("early\n", new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
            assertEquals(-1, process.getErrorStream().read());
        }
    }

    @ParameterizedTest
    @EnumSource
    void descriptorsAreClosedWithTheProcess(Maker maker) throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (int i = 0; i < 40; i++) {
            assertEquals(i, start(maker, "head -c 5000 /dev/zero; exit " + i).waitFor());
        }
        Await.until("all are given back", () -> Leaks.descriptors().equals(before));
        for (Process process : processes) {
            assertEquals(5_000, process.getInputStream().available());
            assertArrayEquals(new byte[5_000], process.getInputStream().readAllBytes());
            process.getInputStream().close();
            assertSaysClosed(() -> process.getInputStream().read());
            assertSaysClosed(() -> writeNow(process, 1));
        }
    }

    /** For each kind of reader, and for each moment of the end: each byte arrives once and in order. */
    @Test
    void eachStreamOfTheOutputGivesTheSameBytes() throws Exception {
        Random random = new Random(7);
        for (int i = 0; i < 24; i++) {
            int lines = random.nextInt(3_000);
            Process process =
                    start(Maker.HELPER, "seq " + lines + (i % 2 == 0 ? "; sleep 0.0" + random.nextInt(10) : ""));
            StringBuilder seen = new StringBuilder();
            for (boolean more = true; more; ) {
                byte[] bytes = new byte[random.nextInt(9_000) + 1];
                more = read(
                        helpers.get(i),
                        process,
                        bytes,
                        i % 4 == 3 ? 3 : random.nextInt(3),
                        seen); // the last one is buffered
                if (random.nextInt(20) == 0) {
                    process.waitFor();
                }
            }
            String expected = IntStream.rangeClosed(1, lines)
                    .mapToObj(line -> line + "\n")
                    .collect(Collectors.joining());
            assertEquals(expected, seen.toString());
        }
    }

    private static boolean read(Helper helper, Process process, byte[] bytes, int door, StringBuilder seen)
            throws IOException {
        ByteBuffer buffer = door == 0 ? ByteBuffer.wrap(bytes) : ByteBuffer.allocateDirect(bytes.length);
        int size = door <= 1
                ? helper.reader(1).read(buffer)
                : door == 2
                        ? helper.stdout().read(bytes)
                        : process.getInputStream()
                                .read(
                                        bytes,
                                        0,
                                        Math.min(
                                                bytes.length,
                                                process.getInputStream().available() + 1));
        if (door == 1) {
            buffer.flip().get(bytes, 0, Math.max(size, 0));
        }
        seen.append(new String(bytes, 0, Math.max(size, 0), StandardCharsets.US_ASCII));
        return size >= 0;
    }

    /** Drops all references to the view, its streams and the helper, as for a garbage collector. */
    @Test
    void droppedProcessKeepsItsPipesUntilItsEnd(@TempDir Path folder) throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        String go = folder.resolve("go").toString();
        String done = folder.resolve("done").toString();
        UsermodeHelper.start(Shell.piped(
                        "while [ ! -e " + go + " ]; do sleep 0.01; done; echo a line && echo went on >" + done))
                .toProcess();
        for (int i = 0; i < 5; i++) {
            System.gc();
            UsermodeHelper.start(Shell.piped("exit 0")).close(); // has descriptors of dropped ones closed
        }
        Files.createFile(folder.resolve("go"));
        Await.until("it went on", () -> Files.exists(folder.resolve("done")));
        Await.until("its descriptors are gone", () -> Leaks.descriptors().equals(before));
    }

    /** A process that traps the signal and prints a word lives on while the caller reads; SIGPIPE does not kill it. */
    @ParameterizedTest
    @EnumSource
    void destroyDoesNotCloseThePipeUnderAReader(Maker maker) throws Exception {
        Process process = start(maker, "trap 'echo caught' TERM; echo ready; while :; do sleep 0.01; done");
        InputStream out = process.getInputStream();
        assertEquals("ready\n", new String(out.readNBytes(6), StandardCharsets.US_ASCII));
        AtomicReference<Object> seen = new AtomicReference<>();
        Thread reader = reader(out, seen);
        Await.inRead(reader);
        process.destroy();
        Await.end(reader);
        assertEquals("Stream closed", ((IOException) seen.get()).getMessage(), "the word was for nobody");
        assertFalse(process.waitFor(50, TimeUnit.MILLISECONDS), "it has caught the signal");
        assertEquals(137, process.destroyForcibly().waitFor());
    }

    @ParameterizedTest
    @EnumSource
    void runningReadSeesTheEndOfADestroyedProcess(Maker maker) throws Exception {
        Process process = start(maker, "exec sleep 1000");
        AtomicReference<Object> seen = new AtomicReference<>();
        Thread reader = reader(process.getInputStream(), seen);
        Await.inRead(reader);
        process.destroy();
        Await.end(reader);
        assertEquals(-1, seen.get());
    }

    /** Here the JDK's would wait for the grandchild. */
    @Test
    void runningReadEndsOnDestroyEvenIfOthersHoldThePipe(@TempDir Path folder) throws Exception {
        Process process = start(Maker.HELPER, "(" + until(folder.resolve("go")) + ") & echo ready; wait");
        assertEquals("ready", process.inputReader().readLine());
        AtomicReference<Object> seen = new AtomicReference<>();
        Thread reader = reader(process.getInputStream(), seen);
        Await.inRead(reader);
        process.destroy();
        Await.end(reader);
        assertEquals(-1, seen.get());
        Files.createFile(folder.resolve("go"));
    }

    @Test
    void closingTheStreamOrTheHelperEndsAReadAtOnce() throws Exception {
        for (boolean helper : new boolean[] {true, false}) {
            Process process = start(Maker.HELPER, "trap '' TERM; read x");
            AtomicReference<Object> seen = new AtomicReference<>();
            Thread reader = reader(process.getInputStream(), seen);
            Await.inRead(reader);
            if (helper) {
                process.destroy();
                helpers.get(0).close();
            } else {
                process.getInputStream().close();
            }
            Await.end(reader);
            assertTrue(helper && seen.get().equals(-1)
                    || ((IOException) seen.get()).getMessage().equals("Stream closed"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void charsetIsTheSameForReadersAndWriters(Maker maker) throws Exception {
        Process process = start(maker, "cat; cat </dev/null >&2");
        assertThrows(NullPointerException.class, () -> process.outputWriter(null));
        assertThrows(NullPointerException.class, () -> process.inputReader(null));
        assertThrows(NullPointerException.class, () -> process.errorReader(null));
        try (Writer writer = process.outputWriter(StandardCharsets.UTF_16BE)) {
            writer.write("\u00e4\u20ac");
        }
        assertSame(process.inputReader(StandardCharsets.UTF_16BE), process.inputReader(StandardCharsets.UTF_16BE));
        assertThrows(IllegalStateException.class, () -> process.inputReader(StandardCharsets.UTF_8));
        assertThrows(IllegalStateException.class, () -> process.outputWriter(StandardCharsets.UTF_8));
        assertEquals(
                "\u00e4\u20ac", process.inputReader(StandardCharsets.UTF_16BE).readLine());
        assertEquals(null, process.errorReader().readLine());
    }

    private static Thread reader(InputStream stream, AtomicReference<Object> seen) {
        Thread thread = new Thread(() -> {
            try {
                seen.set(stream.read());
            } catch (IOException e) {
                seen.set(e);
            }
        });
        thread.start();
        return thread;
    }
}
