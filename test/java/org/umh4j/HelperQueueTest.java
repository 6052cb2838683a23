// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.linux.Signal;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/**
 * The number of running helpers never exceeds the number of places; callers start in the order of their arrival; no
 * place is lost.
 */
@ExtendWith(Leaks.class)
final class HelperQueueTest {
    @Test
    void placeIsTakenUntilTheHelperEnds() throws Exception {
        HelperQueue queue = new HelperQueue(2);
        try (Helper first = queue.start(ProbeProgram.doing("pause"));
                Helper second = queue.start(ProbeProgram.doing("pause"))) {
            assertEquals(0, queue.available());
            second.kill(Signal.KILL);
            try (Helper third = queue.start(ProbeProgram.doing("pause"))) { // waits for second's end
                assertEquals(0, queue.available());
                assertTrue(first.isAlive() && third.isAlive());
            }
        }
        awaitFree(queue, 2);
    }

    @Test
    void waitersAreServedInTheOrderOfTheirArrival() throws Exception {
        HelperQueue queue = new HelperQueue(1);
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        try (Helper blocking = queue.start(ProbeProgram.doing("pause"))) {
            for (int i = 0; i < 12; i++) {
                int number = i;
                Thread thread = new Thread(() -> {
                    try {
                        SubprocessInfo info = ProbeProgram.doing("exit", "0").init((call, cred) -> {
                            order.add(number);
                            return cred;
                        });
                        queue.exec(info);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
                thread.start();
                threads.add(thread);
                while (queue.waiting() <= number) {
                    Thread.onSpinWait();
                }
            }
            assertTrue(blocking.isAlive());
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(IntStream.range(0, 12).boxed().collect(Collectors.toList()), order);
    }

    @Test
    void neverMoreHelpersLiveThanPlaces() throws Exception {
        HelperQueue queue = new HelperQueue(3);
        AtomicInteger live = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            threads.add(new Thread(() -> {
                for (int j = 0; j < 25; j++) {
                    SubprocessInfo info = ProbeProgram.doing("exit", "0")
                            .init((call, cred) -> {
                                most.accumulateAndGet(live.incrementAndGet(), Math::max);
                                return cred;
                            })
                            .cleanup(call -> live.decrementAndGet());
                    try {
                        queue.exec(info);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(most.get() <= 3, () -> most + " at once");
        assertEquals(3, queue.available());
    }

    @Test
    void failedStartReturnsItsPlace() throws Exception {
        HelperQueue queue = new HelperQueue(1);
        for (int i = 0; i < 3; i++) {
            assertThrows(
                    UmhException.class, () -> queue.start(SubprocessInfo.of("/no/such", new String[] {"x"}, null)));
            assertEquals(-2, queue.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null)));
        }
        assertEquals(1, queue.available());
    }

    @Test
    void interruptedWaiterStartsNothing() throws Exception {
        HelperQueue queue = new HelperQueue(1);
        SubprocessInfo info = ProbeProgram.doing("exit", "0");
        try (Helper blocking = queue.start(ProbeProgram.doing("pause"))) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> queue.start(info));
            assertTrue(blocking.isAlive());
        }
        assertEquals(0, queue.exec(info));
    }

    @Test
    void runTakesAPlace() throws Exception {
        HelperQueue queue = new HelperQueue(1);
        RunResult result = queue.run(
                ProbeProgram.doing("print", "x"), RunOptions.defaults().timeout(Duration.ofSeconds(20)));
        assertEquals("x", result.stdoutText().trim());
        assertEquals(1, queue.available());
    }

    @Test
    void queueWithoutPlacesIsRejected() {
        assertThrows(IllegalArgumentException.class, () -> new HelperQueue(0));
    }

    private static void awaitFree(HelperQueue queue, int places) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (queue.available() < places && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        assertEquals(places, queue.available());
    }
}
