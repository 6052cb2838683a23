// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.support.Leaks;
import org.umh4j.support.Shell;

/** The view of a helper as a {@link Process} behaves as a process of {@link ProcessBuilder} does. */
@ExtendWith(Leaks.class)
final class HelperProcessTest extends ProcessFixture {
    @ParameterizedTest
    @EnumSource
    void exitValueIsTheExitCodeOr128PlusTheSignal(Maker maker) throws Exception {
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
        String status = Files.readString(Path.of("/proc/self/status"));
        String mask = status.substring(status.indexOf("SigIgn:"))
                .lines()
                .findFirst()
                .orElseThrow()
                .substring("SigIgn:".length());
        return (Long.parseUnsignedLong(mask.trim(), 16) >>> (signal - 1) & 1) != 0;
    }

    @ParameterizedTest
    @EnumSource
    void exitValueBeforeTheEndThrows(Maker maker) throws Exception {
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
    void infoDescribesTheRunningProcess(Maker maker) throws Exception {
        Instant before = Instant.now().minusSeconds(1); // the kernel counts in hundredths
        Process process = start(maker, "read x");
        ProcessHandle.Info info = process.info();
        assertEquals(
                java.nio.file.Path.of("/bin/sh").toRealPath().toString(),
                info.command().orElseThrow());
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
    void childrenAndDescendantsAreListedWhileItLives(Maker maker) throws Exception {
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
    void handleStaysThatOfTheProcessAfterItsEnd(Maker maker) throws Exception {
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
    void destroySendsSigtermAndDestroyForciblySigkill(Maker maker) throws Exception {
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
    void exitFuturesAreIndependent(Maker maker) throws Exception {
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
    void interruptEndsAWait(Maker maker) throws Exception {
        Process process = start(maker, "read x");
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, process::waitFor);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> process.waitFor(SECONDS, TimeUnit.SECONDS));
        assertFalse(Thread.interrupted());
        assertTrue(process.isAlive());
    }

    @Test
    void helperHasOnlyOneProcessView() throws Exception {
        Process process = start(Maker.HELPER, "read x");
        assertSame(process, helpers.get(0).toProcess());
    }

    /** Handle and info are there however early or late they are asked for. */
    @ParameterizedTest
    @EnumSource
    void handleAndInfoExistForAShortLivedProcess(Maker maker) throws Exception {
        for (int i = 0; i < 30; i++) {
            Process process = start(maker, "exit 7");
            if (i % 2 == 0) {
                process.waitFor();
            }
            assertEquals(process.pid(), process.toHandle().pid());
            process.info().command().ifPresent(command -> assertTrue(command.startsWith("/"), command));
            process.children().count();
            process.descendants().count();
            assertEquals(
                    process.toHandle(),
                    process.onExit().get(SECONDS, TimeUnit.SECONDS).toHandle());
            assertFalse(process.toHandle().isAlive());
        }
    }

    @Test
    void theHandleOfAnEndedProcessKnowsItsPid() throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.script("exit 7"));
                Helper other = UsermodeHelper.start(Shell.script("exit 7"))) {
            helper.waitFor();
            other.waitFor();
            assertEquals(Optional.empty(), helper.toHandle());
            ProcessHandle handle = helper.toProcess().toHandle();
            assertEquals(helper.pid(), handle.pid());
            assertEquals("" + helper.pid(), handle.toString());
            assertEquals(Optional.empty(), handle.parent());
            assertEquals(0, handle.children().count() + handle.descendants().count());
            assertEquals("[]", handle.info().toString());
            assertEquals(Optional.empty(), handle.info().startInstant());
            assertTrue(handle.supportsNormalTermination());
            assertFalse(handle.isAlive() || handle.destroy() || handle.destroyForcibly());
            assertEquals(handle, handle.onExit().get(SECONDS, TimeUnit.SECONDS));
            assertEquals(0, handle.compareTo(handle));
            assertEquals(handle.hashCode(), helper.toProcess().toHandle().hashCode());
            assertFalse(handle.equals(other.toProcess().toHandle()));
            assertFalse(handle.equals(ProcessHandle.current()));
        }
    }

    @Test
    void handleTakenBeforeEqualsTheViews() throws Exception {
        try (Helper helper = UsermodeHelper.start(Shell.piped("read x"))) {
            ProcessHandle handle = helper.toHandle().orElseThrow();
            helper.stdin().close();
            helper.waitFor();
            assertEquals(handle, helper.toProcess().toHandle());
        }
    }

    /** The methods that it inherits in JDK 26. */
    @Test
    void closingAsJdk26DoesWaitsAndKillsNothing() throws Exception {
        Process process = start(Maker.HELPER, "cat; echo end >&2; exit 4");
        Writer writer = process.outputWriter();
        writer.write("buffered");
        writer.close();
        process.inputReader().close();
        assertEquals("end", process.errorReader().readLine());
        process.errorReader().close();
        assertEquals(4, process.waitFor());
        assertEquals(
                List.of(),
                List.of(HelperProcess.class.getDeclaredMethods()).stream()
                        .filter(method -> method.getName().equals("close"))
                        .collect(Collectors.toList()));
    }

    @ParameterizedTest
    @EnumSource
    void exitFuturesMayWaitForOneAnother(Maker maker) throws Exception {
        List<CompletableFuture<Void>> chains = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            chains.add(start(maker, "sleep 0.05")
                    .onExit()
                    .thenAccept(first -> next(maker).onExit().join()));
        }
        for (CompletableFuture<Void> chain : chains) {
            chain.get(SECONDS, TimeUnit.SECONDS);
        }
    }

    private Process next(Maker maker) {
        try {
            return maker == Maker.HELPER
                    ? UsermodeHelper.start(Shell.script("sleep 0.05")).toProcess()
                    : new ProcessBuilder("sleep", "0.05").start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void timeoutsOfEachLengthExpire(Maker maker) throws Exception {
        Process process = start(maker, "read x");
        for (TimeUnit unit : TimeUnit.values()) {
            assertFalse(process.waitFor(Long.MIN_VALUE, unit));
            assertFalse(process.waitFor(0, unit));
        }
        process.getOutputStream().close();
        for (TimeUnit unit : TimeUnit.values()) {
            assertTrue(process.waitFor(Long.MAX_VALUE, unit));
        }
        assertThrows(NullPointerException.class, () -> process.waitFor(1, null));
    }
}
