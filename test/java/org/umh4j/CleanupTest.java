// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Errno;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** Cleanup runs exactly once, on every path. */
@ExtendWith(Leaks.class)
final class CleanupTest {
    private static final long PATIENCE_SECONDS = 10;

    private final AtomicInteger cleanups = new AtomicInteger();
    private final CountDownLatch cleaned = new CountDownLatch(1);
    private final AtomicReference<Thread> cleaner = new AtomicReference<>();

    private SubprocessInfo counted(SubprocessInfo info) {
        return info.cleanup(i -> {
            cleanups.incrementAndGet();
            cleaner.set(Thread.currentThread());
            cleaned.countDown();
        });
    }

    @AfterEach
    void exactlyOnce() throws InterruptedException {
        assertTrue(cleaned.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "no cleanup");
        assertEquals(1, cleanups.get());
        HelperGate.enable();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14})
    void cleanupRunsAfterSuccess(int flags) {
        assertEquals(0, UsermodeHelper.exec(counted(ProbeProgram.doing("exit", "0")), new UmhWait(flags)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14})
    void cleanupRunsAfterAFailedExec(int flags) {
        SubprocessInfo info = counted(SubprocessInfo.of("/no/such/program", new String[] {"x"}, null));
        int expected = flags == 0 ? 0 : -Errno.ENOENT.number();
        assertEquals(expected, UsermodeHelper.exec(info, new UmhWait(flags)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 6, 10})
    void cleanupRunsAfterEbusy(int flags) {
        HelperGate.setDisableDepth(HelperGate.Depth.DISABLED);
        int retval = UsermodeHelper.exec(counted(ProbeProgram.doing("exit", "0")), new UmhWait(flags));
        assertEquals(-Errno.EBUSY.number(), retval);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 6, 10})
    void cleanupRunsAfterAnEmptyPath(int flags) {
        assertEquals(
                0, UsermodeHelper.exec(counted(SubprocessInfo.of("", new String[] {"x"}, null)), new UmhWait(flags)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 6, 10})
    void cleanupRunsAfterANullPath(int flags) {
        SubprocessInfo info = counted(SubprocessInfo.of((String) null, new String[] {"x"}, null));
        assertEquals(-Errno.EINVAL.number(), UsermodeHelper.exec(info, new UmhWait(flags)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 6, 10})
    void cleanupRunsAfterInitRefuses(int flags) {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "0")).init((i, cred) -> {
            throw new InitException(Errno.EACCES);
        });
        assertEquals(flags == 0 ? 0 : -Errno.EACCES.number(), UsermodeHelper.exec(info, new UmhWait(flags)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 6, 10})
    void cleanupRunsAfterInitThrowsAnError(int flags) {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "0")).init((i, cred) -> {
            throw new UnsupportedOperationException("odd");
        });
        assertThrows(UnsupportedOperationException.class, () -> UsermodeHelper.exec(info, new UmhWait(flags)));
        assertEquals(0, HelperGate.runningHelpers());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 6, 10})
    void cleanupRunsAfterInitReturnsNull(int flags) {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "0")).init((i, cred) -> null);
        assertThrows(NullPointerException.class, () -> UsermodeHelper.exec(info, new UmhWait(flags)));
    }

    @Test
    void cleanupRunsAfterAFileCanNotBeOpened() {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "0"))
                .task(Task.defaults()
                        .descriptors(Descriptors.none().open(0, "/no/such/file", StandardOpenOption.READ)));
        assertEquals(-Errno.ENOENT.number(), UsermodeHelper.exec(info, UmhWait.PROC));
        assertEquals(UmhStage.SOURCE, info.failure().orElseThrow().stage());
    }

    @Test
    void cleanupRunsAfterStart() throws UmhException {
        try (Helper helper = UsermodeHelper.start(counted(ProbeProgram.doing("pause")))) {
            assertEquals(1, cleanups.get());
            assertTrue(helper.isAlive());
        }
    }

    @Test
    void cleanupRunsAfterAFailedStart() {
        SubprocessInfo info = counted(SubprocessInfo.of("/no/such/program", new String[] {"x"}, null));
        assertThrows(UmhException.class, () -> UsermodeHelper.start(info));
        assertEquals(-Errno.ENOENT.number(), info.retval());
    }

    @Test
    void cleanupThatThrowsLeavesNoHelper() {
        SubprocessInfo info = ProbeProgram.doing("pause").cleanup(i -> {
            cleanups.incrementAndGet();
            cleaned.countDown();
            throw new UnsupportedOperationException("odd");
        });
        assertThrows(UnsupportedOperationException.class, () -> UsermodeHelper.start(info));
        assertFalse(ProcessHandle.of(info.pid()).map(ProcessHandle::isAlive).orElse(false));
    }

    @Test
    void cleanupRunsIfTheCallerIsInterruptedBefore() {
        Thread.currentThread().interrupt();
        SubprocessInfo info = counted(ProbeProgram.doing("sleep", "200"));
        assertEquals(-Errno.EINTR.number(), UsermodeHelper.exec(info, UmhWait.PROC.killable()));
        assertTrue(Thread.interrupted(), "the flag stays set");
        assertTrue(info.pid() > 0, "the helper runs all the same");
    }

    @Test
    void cleanupRunsIfTheCallerIsInterruptedDuring() throws InterruptedException {
        SubprocessInfo info = counted(ProbeProgram.doing("sleep", "300", "exit", "7"));
        Thread caller = Thread.currentThread();
        Thread interrupter = new Thread(() -> {
            while (info.pid() == 0) {
                Thread.onSpinWait();
            }
            caller.interrupt();
        });
        interrupter.start();
        assertEquals(-Errno.EINTR.number(), UsermodeHelper.exec(info, UmhWait.PROC.killable()));
        assertTrue(Thread.interrupted(), "the flag stays set");
        assertEquals(0, cleanups.get(), "the helper runs on, and cleanup waits for it");
        interrupter.join();
        assertTrue(cleaned.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
        assertEquals(7 << 8, info.retval(), "cleanup sees the helper's status");
        assertFalse(cleaner.get() == caller, "cleanup runs elsewhere");
    }

    @Test
    void cleanupRunsIfTheCallerIsInterruptedAfter() {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "3"));
        assertEquals(3 << 8, UsermodeHelper.exec(info, UmhWait.PROC.killable()));
        assertEquals(1, cleanups.get());
        Thread.currentThread().interrupt();
        assertTrue(Thread.interrupted());
    }

    @Test
    void cleanupRunsIfTheCallerIsInterruptedAtAnyMoment() throws InterruptedException {
        for (int i = 0; i < 200; i++) {
            AtomicInteger count = new AtomicInteger();
            CountDownLatch done = new CountDownLatch(1);
            SubprocessInfo info = ProbeProgram.doing("exit", "5").cleanup(x -> {
                count.incrementAndGet();
                done.countDown();
            });
            AtomicInteger retval = new AtomicInteger();
            Thread caller = new Thread(() -> retval.set(UsermodeHelper.exec(info, UmhWait.PROC.killable())));
            caller.start();
            long until = System.nanoTime() + i * 20_000L; // to beyond the helper's end
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            caller.interrupt();
            caller.join();
            assertTrue(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "no cleanup");
            assertEquals(1, count.get());
            assertEquals(5 << 8, info.retval());
            assertTrue(List.of(5 << 8, -Errno.EINTR.number()).contains(retval.get()), () -> "retval " + retval);
        }
        counted(ProbeProgram.doing("exit", "0"));
        cleanups.set(1);
        cleaned.countDown();
    }

    @Test
    void interruptDoesNotEndAnUnkillableWait() {
        Thread.currentThread().interrupt();
        SubprocessInfo info = counted(ProbeProgram.doing("sleep", "100", "exit", "2"));
        assertEquals(2 << 8, UsermodeHelper.exec(info, UmhWait.PROC));
        assertTrue(Thread.interrupted(), "the flag stays set");
    }

    @Test
    void interruptDoesNotEndAFreezableWait() {
        Thread.currentThread().interrupt();
        SubprocessInfo info = counted(ProbeProgram.doing("sleep", "100", "exit", "2"));
        assertEquals(2 << 8, UsermodeHelper.exec(info, UmhWait.PROC.freezable()));
        assertTrue(Thread.interrupted(), "the flag stays set");
    }

    @Test
    void callIsExecutedOnlyOnce() {
        SubprocessInfo info = counted(ProbeProgram.doing("exit", "0"));
        UsermodeHelper.exec(info, UmhWait.PROC);
        assertThrows(IllegalStateException.class, () -> UsermodeHelper.exec(info, UmhWait.PROC));
        assertThrows(IllegalStateException.class, () -> UsermodeHelper.start(info));
        assertThrows(IllegalStateException.class, () -> info.cleanup(i -> {}));
    }
}
