// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.time.Duration;
import java.time.Instant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.Shell;

/** The view of a helper as a Process: what is said of it holds for a process of ProcessBuilder too. */
@ExtendWith(Leaks.class)
final class ProcessViewTest {
    private static final long SECONDS = Await.PATIENCE.toSeconds();

    private final List<Helper> helpers = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();

    /** Whose process it is. */
    enum Maker {
        JDK,
        HELPER
    }

    private Process start(Maker maker, String script) throws IOException {
        if (maker == Maker.HELPER) {
            helpers.add(UsermodeHelper.start(Shell.piped(script)));
            processes.add(helpers.get(helpers.size() - 1).toProcess());
        } else {
            processes.add(new ProcessBuilder("/bin/sh", "-c", script, "sh").start());
        }
        return processes.get(processes.size() - 1);
    }

    @AfterEach
    void end() throws IOException, InterruptedException {
        helpers.forEach(Helper::close);
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theExitValueIsTheCodeOrSaysTheSignal(Maker maker) throws Exception {
        for (int code : new int[] {0, 1, 2, 126, 127, 128, 137, 255}) {
            Process process = start(maker, "exit " + code);
            assertEquals(code, process.waitFor());
            assertEquals(code, process.exitValue());
        }
        for (int signal : new int[] {1, 2, 6, 9, 11, 13, 15}) {
            if (maker == Maker.JDK && isIgnored(signal)) {
                continue; // and so it is in a child of the JDK's, as under nohup(1)
            }
            Process process = start(maker, "ulimit -c 0; kill -" + signal + " $$");
            assertEquals(128 + signal, process.waitFor());
            assertEquals(128 + signal, process.exitValue());
        }
    }

    private static boolean isIgnored(int signal) throws IOException {
        String status = java.nio.file.Files.readString(Path.of("/proc/self/status"));
        String mask = status.substring(status.indexOf("SigIgn:")).lines().findFirst().orElseThrow().substring("SigIgn:".length());
        return (Long.parseUnsignedLong(mask.trim(), 16) >>> (signal - 1) & 1) != 0;
    }

    @ParameterizedTest
    @EnumSource
    void beforeItsEndThereIsNoExitValue(Maker maker) throws Exception {
        Process process = start(maker, "read x; exit 3");
        assertThrows(IllegalThreadStateException.class, process::exitValue);
        assertTrue(process.isAlive());
        assertFalse(process.waitFor(0, TimeUnit.SECONDS));
        assertFalse(process.waitFor(-1, TimeUnit.SECONDS));
        assertFalse(process.waitFor(20, TimeUnit.MILLISECONDS));
        assertEquals("Process[pid=" + process.pid() + ", exitValue=\"not exited\"]", process.toString());
        process.getOutputStream().close();
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS));
        assertTrue(process.waitFor(0, TimeUnit.SECONDS));
        assertFalse(process.isAlive());
        assertEquals("Process[pid=" + process.pid() + ", exitValue=3]", process.toString());
    }

    @ParameterizedTest
    @EnumSource
    void streamsCarryTextBothWays(Maker maker) throws Exception {
        Process process = start(maker, "read x; echo out $x; echo err $x >&2; cat");
        try (Writer in = process.outputWriter()) {
            in.write("word\nrest");
        }
        try (BufferedReader out = process.inputReader(); BufferedReader err = process.errorReader()) {
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
    void infoIsThatOfTheRunningProcess(Maker maker) throws Exception {
        Instant before = Instant.now().minusSeconds(1); // the kernel counts in hundredths
        Process process = start(maker, "read x");
        ProcessHandle.Info info = process.info();
        assertEquals(java.nio.file.Path.of("/bin/sh").toRealPath().toString(), info.command().orElseThrow());
        assertArrayEquals(new String[] {"-c", "read x", "sh"}, info.arguments().orElseThrow());
        assertEquals(ProcessHandle.current().info().user(), info.user());
        assertTrue(info.startInstant().orElseThrow().isAfter(before));
        assertTrue(info.totalCpuDuration().orElseThrow().compareTo(Duration.ofSeconds(5)) < 0);
        process.getOutputStream().close();
        process.waitFor();
        assertEquals(Optional.empty(), process.info().command());
    }

    @ParameterizedTest
    @EnumSource
    void childrenAndDescendantsAreFoundWhileItLives(Maker maker) throws Exception {
        Process process = start(maker, "sh -c 'sleep 1000 & echo ready; wait' & wait");
        assertEquals("ready", process.inputReader().readLine());
        assertEquals(1, process.children().count());
        List<ProcessHandle> descendants = process.descendants().collect(Collectors.toList());
        assertEquals(2, descendants.size());
        assertTrue(process.toHandle().descendants().collect(Collectors.toSet()).containsAll(descendants));
        descendants.forEach(ProcessHandle::destroyForcibly);
        process.waitFor();
        assertEquals(0, process.children().count());
        assertEquals(0, process.descendants().count());
    }

    @ParameterizedTest
    @EnumSource
    void theHandleIsThatOfTheProcessAlsoAfterItsEnd(Maker maker) throws Exception {
        Process process = start(maker, "read x; exit 5");
        ProcessHandle handle = process.toHandle();
        assertEquals(process.pid(), handle.pid());
        assertEquals(ProcessHandle.of(process.pid()).orElseThrow(), handle);
        assertEquals(ProcessHandle.current(), handle.parent().orElseThrow());
        assertTrue(handle.isAlive());
        assertTrue(handle.supportsNormalTermination() && process.supportsNormalTermination());
        CompletableFuture<ProcessHandle> end = handle.onExit();
        process.getOutputStream().close();
        process.waitFor();
        assertEquals(handle, end.get(SECONDS, TimeUnit.SECONDS));
        assertFalse(handle.isAlive());
        assertEquals(handle, process.toHandle());
        assertFalse(handle.destroyForcibly(), "nobody is there");
        assertEquals(5, process.exitValue(), "the handle's waiting took nothing away");
    }

    @ParameterizedTest
    @EnumSource
    void destroyEndsItNormallyAndDestroyForciblyDoesNotAsk(Maker maker) throws Exception {
        Process process = start(maker, "exec sleep 1000");
        process.destroy();
        assertEquals(143, process.waitFor());
        process.destroy();
        assertSame(process, process.destroyForcibly());
        assertEquals(143, process.exitValue());
        Process deaf = start(maker, "trap '' TERM; echo ready; while :; do sleep 0.01; done");
        assertEquals('r', deaf.getInputStream().read());
        deaf.destroy();
        assertFalse(deaf.waitFor(50, TimeUnit.MILLISECONDS));
        assertSame(deaf, deaf.destroyForcibly());
        assertEquals(137, deaf.waitFor());
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
    void aReaderThatWaitsSeesTheEndOfADestroyedProcess(Maker maker) throws Exception {
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
    void exitFuturesAnswerTheProcessAndDoNotDependOnEachOther(Maker maker) throws Exception {
        Process process = start(maker, "read x; exit 6");
        CompletableFuture<Process> first = process.onExit();
        CompletableFuture<Process> second = process.onExit();
        assertNotSame(first, second);
        first.cancel(true);
        assertTrue(process.isAlive());
        process.getOutputStream().close();
        assertSame(process, second.get(SECONDS, TimeUnit.SECONDS));
        assertEquals(6, second.join().exitValue());
        assertSame(process, process.onExit().get(SECONDS, TimeUnit.SECONDS));
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsAWait(Maker maker) throws Exception {
        Process process = start(maker, "read x");
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, process::waitFor);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> process.waitFor(SECONDS, TimeUnit.SECONDS));
        assertFalse(Thread.interrupted());
        assertTrue(process.isAlive());
    }

    /** The JDK's stream ends then too, but one can read before it knows: it is no oracle for a test that must not hang. */
    @Test
    void theOutputEndsWithTheProcessWhoeverElseHoldsIt() throws Exception {
        Process process = start(Maker.HELPER, "sleep 1000 & echo $!; exit 3");
        AtomicReference<Object> seen = new AtomicReference<>();
        Thread reader = reader(process.getErrorStream(), seen);
        assertEquals(3, process.waitFor());
        String pid = new String(process.getInputStream().readAllBytes()).trim();
        Await.end(reader);
        assertEquals(-1, seen.get(), "a read that waited ends too");
        ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
    }

    @Test
    void thereIsOneViewOfAHelper() throws Exception {
        Process process = start(Maker.HELPER, "read x");
        assertSame(process, helpers.get(0).toProcess());
    }

    @Test
    void aViewOfAHelperWithoutPipesHasEmptyStreams() throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.script("exit 0"))) {
            Process process = helper.toProcess();
            assertEquals(-1, process.getInputStream().read());
            assertEquals(-1, process.getErrorStream().read());
            process.getOutputStream().write(1);
            process.getOutputStream().flush();
            assertEquals(0, process.waitFor());
        }
    }

    @Test
    void afterTheEndThereIsNoHandleToBeHadForTheFirstTime() throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.script("exit 7"))) {
            Optional<ProcessHandle> handle = helper.toHandle();
            helper.waitFor();
            assertEquals(Optional.empty(), helper.toHandle());
            handle.ifPresent(old -> assertFalse(old.isAlive()));
            Process process = helper.toProcess();
            assertEquals(7, process.exitValue());
            assertEquals(Set.of(), process.descendants().collect(Collectors.toSet()));
            assertEquals(Set.of(), process.children().collect(Collectors.toSet()));
            assertThrows(UnsupportedOperationException.class, process::toHandle);
            process.destroy();
        }
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
