// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Shell;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** The pipes between the JVM and a helper. */
@ExtendWith(Leaks.class)
final class ProcessStreamsTest {
    private static final int PIPE_SIZE = 65_536;

    private static SubprocessInfo cat() {
        return ProbeProgram.doing("cat")
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1)));
    }

    @Test
    void grandchildWithThePipeDelaysNeitherExitNorClose() throws Exception {
        ProcessHandle grandchild;
        try (Helper helper = UsermodeHelper.start(Shell.piped("sleep 1000 & echo $!; exit 4"))) {
            BufferedReader out = new BufferedReader(new InputStreamReader(helper.stdout(), StandardCharsets.US_ASCII));
            grandchild = ProcessHandle.of(Long.parseLong(out.readLine())).orElseThrow();
            assertEquals(4, helper.waitFor(Await.PATIENCE).orElseThrow().exitCode());
            assertEquals(
                    4,
                    helper.onExit()
                            .get(20, java.util.concurrent.TimeUnit.SECONDS)
                            .exitCode());
            assertEquals(0, helper.stdout().available());
        }
        assertTrue(grandchild.isAlive(), "it was not the helper, and nothing was said of it");
        grandchild.destroyForcibly();
    }

    @Test
    void eachOf250InstantExitsHasItsWholeOutput() throws Exception {
        for (int i = 0; i < 250; i++) {
            String line = "output of helper " + i;
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("print", line, "exit", "" + i)
                    .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))))) {
                if (i % 2 == 0) {
                    helper.waitFor(); // before or after the reading: it makes no difference
                }
                assertEquals(line + "\n", new String(helper.stdout().readAllBytes(), StandardCharsets.US_ASCII));
                assertEquals(i, helper.waitFor().exitCode());
            }
        }
    }

    @Test
    void closingTheInputIsEndOfFileForTheHelper() throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.piped("cat; echo rest; exit 3"))) {
            helper.stdin().write("first\n".getBytes(StandardCharsets.US_ASCII));
            assertTrue(helper.isAlive());
            helper.stdin().close();
            assertEquals("first\nrest\n", new String(helper.stdout().readAllBytes(), StandardCharsets.US_ASCII));
            assertEquals(3, helper.waitFor().exitCode());
            assertThrows(ClosedChannelException.class, () -> helper.stdin().write(1));
        }
    }

    @Test
    void writeToAnEndedHelperIsABrokenPipe() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "0")
                .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0))))) {
            helper.waitFor();
            assertEquals(
                    "Broken pipe",
                    assertThrows(IOException.class, () -> helper.stdin().write(1))
                            .getMessage());
            assertEquals(
                    "Broken pipe",
                    assertThrows(IOException.class, () -> helper.writer(0).write(ByteBuffer.allocate(9)))
                            .getMessage());
            assertEquals(
                    "Broken pipe",
                    assertThrows(IOException.class, () -> helper.writer(0).write(ByteBuffer.allocateDirect(9)))
                            .getMessage());
        }
    }

    @Test
    void blockedWriterGetsTheBrokenPipe() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0))))) {
            ByteBuffer much = ByteBuffer.allocate(3 * PIPE_SIZE);
            AtomicReference<IOException> failure = new AtomicReference<>();
            Thread writer = started(() -> helper.writer(0).write(much), failure);
            Await.until("the pipe is full", () -> much.position() >= PIPE_SIZE);
            helper.kill(Signal.KILL);
            Await.end(writer);
            assertEquals("Broken pipe", failure.get().getMessage());
            assertEquals(PIPE_SIZE, much.position(), "what was written is told");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4_095, 4_096, 65_535, 65_536})
    void unreadBytesOutliveTheHelperUntilClose(int size) throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.piped("head -c $1 /dev/zero", "" + size))) {
            assertTrue(helper.waitFor(Await.PATIENCE).orElseThrow().success());
            assertEquals(size, helper.stdout().available());
        }
        try (Helper helper = UsermodeHelper.start(Shell.piped("head -c $1 /dev/zero", "" + size))) {
            assertTrue(helper.waitFor(Await.PATIENCE).orElseThrow().success());
            assertArrayEquals(new byte[size], helper.stdout().readAllBytes());
        }
    }

    @Test
    void fullPipeBlocksTheHelperUntilReadOrClose() throws Exception {
        SubprocessInfo[] calls = new SubprocessInfo[2];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = Shell.piped("exec head -c 65537 /dev/zero");
        }
        try (Helper helper = UsermodeHelper.start(calls[0])) {
            Await.until("the pipe is full", () -> helper.stdout().available() == PIPE_SIZE);
            assertTrue(helper.isAlive());
            assertEquals(PIPE_SIZE + 1, helper.stdout().readAllBytes().length);
            assertTrue(helper.waitFor().success());
        }
        Helper helper = UsermodeHelper.start(calls[1]);
        Await.until("the pipe is full", () -> helper.stdout().available() == PIPE_SIZE);
        helper.close();
        assertEquals(9, helper.status().orElseThrow().signal(), "close kills; it does not leave that to SIGPIPE");
    }

    @Test
    void buffersOfEveryKindCarryTheSameBytes() throws Exception {
        byte[] bytes = new byte[10_000];
        new Random(1).nextBytes(bytes);
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        ByteBuffer[] sources = {
            ByteBuffer.wrap(bytes),
            direct.duplicate(),
            ByteBuffer.wrap(bytes).asReadOnlyBuffer(),
            ByteBuffer.allocate(bytes.length + 7).position(7).slice().put(bytes).flip(),
            direct.duplicate().asReadOnlyBuffer()
        };
        try (Helper helper = UsermodeHelper.start(cat())) {
            for (int i = 0; i < sources.length; i++) {
                assertEquals(bytes.length, helper.writer(0).write(sources[i]));
                assertFalse(sources[i].hasRemaining());
                ByteBuffer room = i % 2 == 0
                        ? ByteBuffer.allocate(bytes.length + 5)
                        : ByteBuffer.allocateDirect(bytes.length + 5);
                ByteBuffer into = room.position(5).slice();
                while (into.hasRemaining()) {
                    helper.reader(1).read(into);
                }
                assertEquals(ByteBuffer.wrap(bytes), into.flip());
            }
            ByteBuffer readOnly = ByteBuffer.allocateDirect(1).asReadOnlyBuffer();
            assertThrows(IllegalArgumentException.class, () -> helper.reader(1).read(readOnly));
            assertThrows(IndexOutOfBoundsException.class, () -> helper.stdout().read(new byte[1], 0, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> helper.stdin().write(new byte[1], 1, 1));
        }
    }

    @Test
    void pipesHaveTheirNumbersAndDirections() throws Exception {
        Descriptors files = Descriptors.none().pipeFromJvm(7).pipeToJvm(1_000);
        SubprocessInfo info =
                Shell.script("cat <&7 >/proc/self/fd/1000").task(Task.defaults().descriptors(files));
        try (Helper helper = UsermodeHelper.start(info)) {
            helper.writer(7).write(ByteBuffer.wrap(new byte[] {42}));
            helper.writer(7).close();
            assertArrayEquals(new byte[] {42}, helper.reader(1_000).stream().readAllBytes());
            for (int none : new int[] {0, 1, 2, 8}) {
                assertThrows(NoSuchElementException.class, () -> helper.reader(none));
                assertThrows(NoSuchElementException.class, () -> helper.writer(none));
            }
            assertThrows(NoSuchElementException.class, () -> helper.reader(7));
            assertThrows(NoSuchElementException.class, () -> helper.writer(1_000));
        }
    }

    @Test
    void writesOfTwoThreadsAreNotMixed() throws Exception {
        int size = 3 * PIPE_SIZE + 1;
        try (Helper helper = UsermodeHelper.start(cat())) {
            AtomicReference<IOException> failure = new AtomicReference<>();
            List<Thread> writers = new ArrayList<>();
            for (byte content = 1; content <= 4; content++) {
                byte[] bytes = new byte[size];
                java.util.Arrays.fill(bytes, content);
                boolean asStream = content % 2 == 0;
                writers.add(started(
                        () -> {
                            if (asStream) {
                                helper.stdin().write(bytes);
                            } else {
                                helper.writer(0).write(ByteBuffer.wrap(bytes));
                            }
                        },
                        failure));
            }
            for (int i = 0; i < writers.size(); i++) {
                byte[] record = helper.stdout().readNBytes(size);
                for (byte one : record) {
                    assertEquals(record[0], one, "a byte of another writer's");
                }
            }
            for (Thread writer : writers) {
                Await.end(writer);
            }
            assertEquals(null, failure.get());
        }
    }

    /** The moments before, in and after the short wait in the kernel and the parking that follows. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 9, 10, 11, 30})
    void closeByAnotherThreadEndsAReadAtAnyMoment(int milliseconds) throws Exception {
        for (boolean direct : new boolean[] {false, true}) {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                    .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))))) {
                AtomicReference<IOException> failure = new AtomicReference<>();
                ByteBuffer into = direct ? ByteBuffer.allocateDirect(1) : ByteBuffer.allocate(1);
                PipeReader reader = helper.reader(1);
                Thread thread = started(() -> reader.read(into), failure);
                Thread.sleep(milliseconds); // not a wait for something: the moment is the test
                if (milliseconds == 30) {
                    Await.blocked(thread);
                }
                reader.close();
                Await.end(thread);
                boolean beganAfter = milliseconds < 30 && failure.get().getClass() == ClosedChannelException.class;
                assertTrue(beganAfter || failure.get() instanceof AsynchronousCloseException, failure::toString);
                assertFalse(reader.isOpen());
                assertThrows(ClosedChannelException.class, () -> reader.read(into));
            }
        }
    }

    @Test
    void closingTheHelperEndsItsReadersAndWriters() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause")
                .task(Task.defaults()
                        .descriptors(
                                Descriptors.none().pipeFromJvm(0).pipeToJvm(1).pipeToJvm(2))));
        List<AtomicReference<IOException>> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        InputStream out = helper.stdout();
        InputStream err = helper.stderr();
        OutputStream in = helper.stdin();
        for (Transfer transfer : List.<Transfer>of(out::read, err::read, () -> in.write(new byte[2 * PIPE_SIZE]))) {
            failures.add(new AtomicReference<>());
            threads.add(started(transfer, failures.get(failures.size() - 1)));
        }
        for (Thread thread : threads) {
            Await.blocked(thread);
        }
        helper.writer(0).close();
        helper.close();
        for (int i = 0; i < threads.size(); i++) {
            Await.end(threads.get(i));
            // A reader may also see the end of file that the kill makes, just before its pipe is closed.
            assertTrue(i < 2 && failures.get(i).get() == null
                    || failures.get(i).get() instanceof AsynchronousCloseException);
        }
    }

    @Test
    void interruptEndsAReadAndLosesNoByte() throws Exception {
        try (Helper helper = UsermodeHelper.start(cat())) {
            AtomicReference<Object> seen = new AtomicReference<>();
            Thread reader = new Thread(() -> {
                try {
                    helper.stdout().read();
                } catch (InterruptedIOException e) {
                    seen.set(Thread.currentThread().isInterrupted());
                } catch (IOException e) {
                    seen.set(e);
                }
            });
            reader.start();
            Await.blocked(reader);
            reader.interrupt();
            Await.end(reader);
            assertEquals(true, seen.get(), "the flag stays set");
            helper.stdin().write(new byte[] {1, 2, 3});
            assertArrayEquals(new byte[] {1, 2, 3}, helper.stdout().readNBytes(3));
        }
    }

    @Test
    void interruptDoesNotEndAReadOfBufferedBytes() throws Exception {
        try (Helper helper = UsermodeHelper.start(cat())) {
            helper.stdin().write(7);
            Await.until("it is there", () -> helper.stdout().available() == 1);
            Thread.currentThread().interrupt();
            assertEquals(7, helper.stdout().read());
            assertThrows(InterruptedIOException.class, () -> helper.stdout().read());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void gibibytePassesThroughAHelperInASmallHeap() throws Exception {
        String out = new Jvm()
                .option("-Xmx16m", "-XX:MaxDirectMemorySize=1m")
                .run(GibibyteMain.class)
                .requireSuccess();
        assertEquals("equal\n", out);
    }

    /** In a heap in which nothing could pile up. */
    static final class GibibyteMain {
        private static final long SIZE = 1L << 30;
        private static final int BLOCK = 256 << 10;

        public static void main(String[] arguments) throws Exception {
            CRC32C sent = new CRC32C();
            CRC32C received = new CRC32C();
            AtomicReference<IOException> failure = new AtomicReference<>();
            try (Helper helper = UsermodeHelper.start(cat())) {
                Thread writer = started(() -> write(helper.writer(0), sent), failure);
                ByteBuffer into = ByteBuffer.allocateDirect(BLOCK);
                long size = 0;
                while (helper.reader(1).read(into) >= 0) {
                    size += into.flip().remaining();
                    received.update(into);
                    into.clear();
                }
                writer.join();
                boolean equal = size == SIZE && sent.getValue() == received.getValue() && failure.get() == null;
                System.out.println(equal ? "equal" : size + " bytes, " + sent.getValue() + " " + received.getValue());
            }
        }

        /** Every block is another one. */
        private static void write(PipeWriter to, CRC32C sent) throws IOException {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            byte[] random = new byte[BLOCK];
            new Random(2).nextBytes(random);
            block.put(random);
            for (long number = 0; number < SIZE / BLOCK; number++) {
                block.putLong((int) (number % (BLOCK - Long.BYTES)), number).clear();
                sent.update(block.duplicate());
                to.write(block);
            }
            to.close();
        }
    }

    private interface Transfer {
        void run() throws IOException;
    }

    private static Thread started(Transfer transfer, AtomicReference<IOException> failure) {
        Thread thread = new Thread(() -> {
            try {
                transfer.run();
            } catch (IOException e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }
}
