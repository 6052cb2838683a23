// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.Helper;
import org.umh4j.HelperTimeoutException;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Task;

/** Files that the JVM opens for a helper: no open waits without end, and none changes the JVM. */
@ExtendWith(Leaks.class)
final class OpenedFilesTest {
    @TempDir
    private Path folder;

    private Path fifo() throws Exception {
        Path fifo = folder.resolve("fifo-" + System.nanoTime());
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        return fifo;
    }

    /** Each option of a call that has this JVM open a path. */
    enum Option {
        INPUT {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().descriptors(Descriptors.none().open(0, path, StandardOpenOption.READ)));
            }
        },
        OUTPUT {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().descriptors(Descriptors.none().open(1, path, StandardOpenOption.WRITE)));
            }
        },
        APPENDED {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults()
                                .descriptors(Descriptors.none()
                                        .open(
                                                9,
                                                path,
                                                StandardOpenOption.WRITE,
                                                StandardOpenOption.APPEND,
                                                StandardOpenOption.CREATE)));
            }
        },
        NAMESPACE {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults()
                                .namespaces(NamespaceSetup.defaults().joinFile(Namespace.NET, path)));
            }
        },
        CGROUP {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().limits(Limits.defaults().cgroup(path)));
            }
        },
        CWD {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().fs(Fs.defaults().cwd(path)));
            }
        },
        ROOT {
            @Override
            SubprocessInfo of(String path) {
                return ProbeProgram.doing("exit", "0")
                        .task(Task.defaults().fs(Fs.defaults().root(path)));
            }
        },
        PROGRAM {
            @Override
            SubprocessInfo of(String path) {
                return SubprocessInfo.of(path, new String[] {"fifo"}, null);
            }
        };

        abstract SubprocessInfo of(String path);
    }

    /** For each way of waiting. Without root some steps fail with EPERM, which is no wait either. */
    @ParameterizedTest
    @EnumSource
    void fifoWithoutAPeerFailsAtOnce(Option option) throws Exception {
        Path fifo = fifo();
        List<Supplier<UmhException>> ways = List.of(
                () -> failure(option.of(fifo.toString()), UmhWait.EXEC),
                () -> failure(option.of(fifo.toString()), UmhWait.PROC),
                () -> failure(option.of(fifo.toString()), UmhWait.PROC.killable()),
                () -> assertThrows(
                        UmhException.class,
                        () -> UsermodeHelper.start(option.of(fifo.toString())).close()),
                () -> assertThrows(
                        UmhException.class,
                        () -> UsermodeHelper.run(option.of(fifo.toString()), Duration.ofMinutes(5))));
        List<String> errors = new ArrayList<>();
        Thread caller =
                new Thread(() -> ways.forEach(way -> errors.add(way.get().errnoName())));
        caller.start();
        Await.end(caller);
        assertEquals(ways.size(), errors.size(), errors.toString());
        switch (option) {
            case INPUT, OUTPUT, APPENDED, NAMESPACE ->
                assertEquals(List.of("ENXIO"), errors.stream().distinct().toList());
            default -> assertFalse(errors.contains("ENXIO"), errors.toString());
        }
    }

    private static UmhException failure(SubprocessInfo info, UmhWait wait) {
        UsermodeHelper.exec(info, wait);
        return info.failure().orElseThrow();
    }

    @Test
    void messageNamesTheFifoAndTheRemedy() throws Exception {
        Path fifo = fifo();
        UmhException refused = failure(Option.INPUT.of(fifo.toString()), UmhWait.PROC);
        assertTrue(refused.getMessage().contains(fifo.toString()), refused.getMessage());
        assertTrue(refused.getMessage().contains("inherit"), refused.getMessage());
    }

    /** The helper reads all bytes once; the JVM's check for a writer consumes none. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void fifoWithAWriterIsReadByTheHelper(boolean early) throws Exception {
        Path fifo = fifo();
        FileChannel both = FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
        OutputStream writer = Files.newOutputStream(fifo);
        if (early) {
            writer.write("left behind".getBytes());
        }
        SubprocessInfo cat = ProbeProgram.doing("cat")
                .task(Task.defaults()
                        .descriptors(Descriptors.none()
                                .open(0, fifo.toString(), StandardOpenOption.READ)
                                .pipeToJvm(1)));
        try (Helper helper = UsermodeHelper.start(cat)) {
            both.close();
            if (!early) { // it waits for what comes, in spite of how its input was opened
                assertTrue(helper.waitFor(Duration.ofMillis(100)).isEmpty());
                writer.write("left behind".getBytes());
            }
            writer.close();
            assertEquals("left behind", new String(helper.stdout().readAllBytes()));
        }
    }

    @Test
    void fifoWithAReaderIsWrittenByTheHelper() throws Exception {
        Path fifo = fifo();
        try (FileChannel both = FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            SubprocessInfo echo = SubprocessInfo.of("/bin/echo", new String[] {"echo", "said"}, null)
                    .task(Task.defaults()
                            .descriptors(Descriptors.none().open(1, fifo.toString(), StandardOpenOption.WRITE)));
            assertEquals(0, UsermodeHelper.exec(echo, UmhWait.PROC));
            java.nio.ByteBuffer output = java.nio.ByteBuffer.allocate(10);
            both.read(output);
            assertEquals("said\n", new String(output.array(), 0, output.position()));
        }
    }

    /** The descriptor has the requested flags for each kind of file: O_NONBLOCK only if the task requests it. */
    @ParameterizedTest
    @CsvSource({
        "/dev/null, 0, 0",
        "/dev/null, 2, 2",
        "/dev/zero, 02001, 02001",
        "/dev/null, 04002, 04002",
        "/etc/passwd, 0, 0",
        "/etc/passwd, 04000, 04000",
        "OWN, 01000000, 01000000", // O_NOATIME is for a file's owner
        "/tmp, 0200000, 0200000",
        "/, 010000000, 010000000",
        "/dev/ptmx, 2, 2",
        "/proc/self/stat, 0, 0"
    })
    void openFileHasTheRequestedFlags(String named, String flags, String expected) throws Exception {
        String path =
                named.equals("OWN") ? Files.createFile(folder.resolve("own")).toString() : named;
        Descriptors files = Descriptors.none()
                .open(5, path.getBytes(), Integer.decode(flags), 0)
                .pipeToJvm(1);
        SubprocessInfo info = SubprocessInfo.of("/bin/sh", new String[] {"sh", "-c", "cat /proc/$$/fdinfo/5"}, null)
                .task(Task.defaults().descriptors(files));
        RunResult result = UsermodeHelper.run(info, Duration.ofMinutes(1));
        String line = result.stdoutText()
                .lines()
                .filter(one -> one.startsWith("flags:"))
                .findFirst()
                .orElseThrow();
        int seen = Integer.parseInt(line.substring(6).trim(), 8) & ~0100000; // O_LARGEFILE
        assertEquals(Integer.decode(expected), seen, () -> path + " " + Integer.toOctalString(seen));
    }

    /** A lease keeps open(2) waiting until its holder gives it up; here it does so after a while, there never. */
    @ParameterizedTest
    @CsvSource({"INPUT, 300", "OUTPUT, 300", "INPUT, -1", "OUTPUT, -1", "PROGRAM, -1"})
    void leasedFileIsAwaitedUntilTheDeadline(Option option, int held) throws Exception {
        Path file = option == Option.PROGRAM ? copyOfTrue() : Files.writeString(folder.resolve("leased"), "x");
        String holder = NativeProgram.compile("lease");
        Process lease = new ProcessBuilder(holder, file.toString(), Integer.toString(held)).start();
        try {
            assertEquals('h', lease.getInputStream().read(), "it holds the lease");
            Duration timeout = held < 0 ? Duration.ofMillis(400) : Duration.ofMinutes(5);
            SubprocessInfo info = option.of(file.toString());
            if (held < 0) {
                HelperTimeoutException late =
                        assertThrows(HelperTimeoutException.class, () -> UsermodeHelper.run(info, timeout));
                assertTrue(late.getCause() instanceof UmhException, () -> "" + late.getCause());
                assertInterruptEnds(option.of(file.toString()));
            } else {
                assertEquals(0, UsermodeHelper.run(info, timeout).status().exitCode());
            }
        } finally {
            lease.destroyForcibly().waitFor();
        }
    }

    private static void assertInterruptEnds(SubprocessInfo info) throws Exception {
        int[] retval = {0};
        Thread caller = new Thread(() -> retval[0] = UsermodeHelper.exec(info, UmhWait.PROC.killable()));
        caller.start();
        Thread.sleep(100);
        caller.interrupt();
        Await.end(caller);
        assertEquals(-Errno.EINTR.number(), retval[0]);
    }

    private Path copyOfTrue() throws IOException {
        return Files.copy(
                Path.of("/bin/true"), folder.resolve("program"), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    }

    /** A session leader without a terminal, as a service is, would get the first one that it opens. */
    @Test
    void openedTerminalDoesNotControlTheJvm() throws Exception {
        Jvm jvm = new Jvm().shortLived().under("setsid", "--wait");
        assertEquals("0 0\n", jvm.run(TerminalMain.class).requireSuccess());
    }

    static final class TerminalMain {
        public static void main(String[] arguments) throws Exception {
            String before = terminal();
            String openpty = NativeProgram.compile("openpty");
            Process pty = new ProcessBuilder(openpty).start();
            String name = pty.inputReader().readLine();
            for (Descriptors files : List.of(
                    Descriptors.none().open(0, name, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    Descriptors.none().open(0, name.getBytes(), 2, 0))) {
                UsermodeHelper.exec(
                        ProbeProgram.doing("exit", "0").task(Task.defaults().descriptors(files)), UmhWait.PROC);
            }
            System.out.println(before + " " + terminal());
            pty.destroy();
        }

        private static String terminal() throws IOException {
            return Files.readString(Path.of("/proc/self/stat"))
                    .replaceAll(".*\\) ", "")
                    .split(" ")[4];
        }
    }
}
