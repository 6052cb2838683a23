// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** Each mode of waiting, from each kind of thread. */
@ExtendWith(Leaks.class)
final class UmhWaitTest {
    /** Such a program begins when start() has called the function. By exec it would be waited for without end. */
    @ParameterizedTest
    @ValueSource(strings = {"NO_WAIT", "EXEC", "PROC"})
    void execRefusesFunctionForTheCreatedProcess(String name) throws Exception {
        UmhWait wait = (UmhWait) UmhWait.class.getField(name).get(null);
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        info.onCreated(pid -> {});
        assertThrows(IllegalArgumentException.class, () -> UsermodeHelper.exec(info, wait));
        try (Helper helper = UsermodeHelper.start(info)) { // nothing has changed
            assertEquals(0, helper.waitFor().exitCode());
        }
    }

    @Test
    void noWaitReturnsZeroBeforeTheHelperEnds() {
        assertEquals(0, UsermodeHelper.exec(ProbeProgram.doing("sleep", "100"), UmhWait.NO_WAIT));
        assertEquals(0, UsermodeHelper.call("/no/such/program", new String[] {"x"}, null, UmhWait.NO_WAIT));
    }

    @Test
    void execReturnsWhenExecveHasSucceeded() throws Exception {
        SubprocessInfo info = ProbeProgram.doing("sleep", "300");
        assertEquals(0, UsermodeHelper.exec(info, UmhWait.EXEC));
        assertEquals(
                "probe",
                Files.readString(java.nio.file.Path.of("/proc/" + info.pid() + "/comm"))
                        .trim());
    }

    /** The kernel shows it to the tracer first; any process of the helper's user can be one. */
    @Test
    @RequiresRoot
    void endHeldBackByATracerIsSeenAfterTheTracer() throws Exception {
        String tracer = NativeProgram.compile("tracer");
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            String[] argv = {"tracer", Long.toString(helper.pid())};
            SubprocessInfo tracing = SubprocessInfo.of(tracer, argv, null)
                    .task(Task.defaults()
                            .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1)));
            try (Helper holder = UsermodeHelper.start(tracing)) {
                assertEquals('t', holder.stdout().read());
                helper.kill(Signal.KILL);
                assertTrue(helper.waitFor(Duration.ofMillis(500)).isEmpty());
            }
            assertEquals(9, helper.waitFor(Duration.ofSeconds(20)).orElseThrow().raw());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 127, 137, 255})
    void exitCodesAreShiftedByEight(int code) {
        int retval = UsermodeHelper.exec(ProbeProgram.doing("exit", "" + code), UmhWait.PROC);
        assertEquals(code << 8, retval);
        WaitStatus status = new WaitStatus(retval);
        assertTrue(status.exited());
        assertEquals(code, status.exitCode());
        assertThrows(IllegalStateException.class, status::signal);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 15, 13, 34, 64})
    void deathBySignalIsTheSignalsNumber(int signal) {
        int retval = UsermodeHelper.exec(ProbeProgram.doing("kill", "" + signal), UmhWait.PROC);
        assertEquals(signal, retval);
        WaitStatus status = new WaitStatus(retval);
        assertTrue(status.signaled());
        assertEquals(signal, status.signal());
        assertThrows(IllegalStateException.class, status::exitCode);
    }

    @Test
    void parkedWaitsReturnTheSame() {
        UmhWait wait = UmhWait.PROC.killable();
        assertEquals(5 << 8, UsermodeHelper.exec(ProbeProgram.doing("exit", "5"), wait));
        assertEquals(9, UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), wait));
        assertEquals(-Errno.ENOENT.number(), UsermodeHelper.call("/no/such", new String[] {"x"}, null, wait));
        assertEquals(-Errno.EACCES.number(), UsermodeHelper.call("/etc", new String[] {"x"}, null, wait));
    }

    @Test
    void helpersAreReapedWithoutAnyCall() throws Exception {
        for (int i = 0; i < 50; i++) {
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), i % 2 == 0 ? UmhWait.EXEC : UmhWait.NO_WAIT);
        }
        for (int i = 0; i < 500 && !Leaks.children().isEmpty(); i++) {
            Thread.sleep(10);
        }
        assertEquals(List.of(), Leaks.children());
    }

    @Test
    void startReturnsALiveHelper() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            assertTrue(helper.isAlive());
            assertTrue(helper.status().isEmpty());
            assertTrue(helper.waitFor(Duration.ofMillis(20)).isEmpty());
            assertTrue(helper.kill(0));
            assertTrue(helper.kill(Signal.TERM));
            assertEquals("killed by SIGTERM", helper.waitFor().toString());
            assertEquals(15, helper.onExit().get(5, TimeUnit.SECONDS).signal());
            assertFalse(helper.isAlive());
            assertFalse(helper.kill(Signal.KILL), "nobody is there any more");
            assertEquals(15, helper.status().orElseThrow().raw());
        }
    }

    @Test
    void closeKillsAndReaps() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("ignore", "15", "pause"));
        helper.close();
        assertEquals(9, helper.status().orElseThrow().signal());
        assertEquals(List.of(), Leaks.children());
        helper.close();
    }

    @Test
    void interruptedWaitForLeavesTheHelperAlone() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, helper::waitFor);
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> helper.waitFor(Duration.ofSeconds(5)));
            assertTrue(helper.isAlive());
        }
    }

    @Test
    void interruptedCloseStillClosesAndKeepsTheFlag() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"));
        Thread.currentThread().interrupt();
        helper.close();
        assertTrue(Thread.interrupted());
        assertTrue(helper.status().isPresent());
    }

    @Test
    void exitFuturesAreIndependentOfEachOther() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            CompletableFuture<WaitStatus> own = helper.onExit();
            CompletableFuture<WaitStatus> yours = helper.onExit();
            own.complete(new WaitStatus(0));
            assertTrue(helper.isAlive());
            assertFalse(yours.isDone());
        }
    }

    @Test
    void blockedExitFutureDelaysNoOther() throws Exception {
        CompletableFuture<Void> release = new CompletableFuture<>();
        List<CompletableFuture<Void>> blocked = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"));
            blocked.add(helper.onExit().thenAccept(status -> release.join()));
            helper.kill(Signal.TERM);
            assertTrue(helper.waitFor(Duration.ofSeconds(10)).isPresent());
        }
        assertEquals(3 << 8, UsermodeHelper.exec(ProbeProgram.doing("exit", "3"), UmhWait.PROC.killable()));
        release.complete(null);
        CompletableFuture.allOf(blocked.toArray(CompletableFuture[]::new)).get(10, TimeUnit.SECONDS);
    }

    @Test
    void killThatRacesTheExitReachesTheHelperOrNothing() throws Exception {
        for (int i = 0; i < 300; i++) {
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "6"))) {
                AtomicInteger sent = new AtomicInteger();
                Thread killer = new Thread(() -> {
                    try {
                        while (helper.kill(Signal.CONT)) {
                            sent.incrementAndGet();
                        }
                    } catch (UmhException e) {
                        sent.set(-1);
                    }
                });
                killer.start();
                assertEquals(6 << 8, helper.waitFor().raw());
                killer.join();
                assertTrue(sent.get() >= 0);
            }
        }
    }

    @Test
    void virtualThreadsDoNotBlockTheirCarrier() throws Exception {
        Need.VIRTUAL_THREADS.orSkip();
        String out = new Jvm()
                .option("-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1")
                .run(OneCarrierMain.class)
                .requireSuccess();
        assertEquals("parked\n", out);
    }

    /** On one carrier: twenty virtual threads wait for sleeping helpers at the same time. */
    static final class OneCarrierMain {
        private static final int THREADS = 20;

        public static void main(String[] arguments) throws Exception {
            Method ofVirtual = Thread.class.getMethod("ofVirtual");
            Object builder = ofVirtual.invoke(null);
            Method factoryMethod = Class.forName("java.lang.Thread$Builder").getMethod("factory");
            ThreadFactory factory = (ThreadFactory) factoryMethod.invoke(builder);
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            AtomicInteger right = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            long begin = System.nanoTime();
            for (int i = 0; i < THREADS; i++) {
                int code = i;
                Thread thread = factory.newThread(() -> {
                    SubprocessInfo info = ProbeProgram.doing("sleep", "500", "exit", "" + code);
                    if (UsermodeHelper.exec(info, UmhWait.PROC) == code << 8) {
                        right.incrementAndGet();
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            // One after the other they would have slept ten seconds; the bound is far from both.
            boolean together = System.nanoTime() - begin < Duration.ofSeconds(5).toNanos();
            System.out.println(
                    right.get() == THREADS && together ? "parked" : "right " + right + ", together " + together);
        }
    }

    @Test
    void flagsEqualTheKernels() {
        assertEquals(0, UmhWait.NO_WAIT.flags());
        assertEquals(1, UmhWait.EXEC.flags());
        assertEquals(2, UmhWait.PROC.flags());
        assertEquals(6, UmhWait.PROC.killable().flags());
        assertEquals(14, UmhWait.PROC.killable().freezable().flags());
        assertEquals("UMH_WAIT_PROC|UMH_KILLABLE|UMH_FREEZABLE", new UmhWait(14).toString());
    }
}
