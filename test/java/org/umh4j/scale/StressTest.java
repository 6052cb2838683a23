// SPDX-License-Identifier: Apache-2.0
package org.umh4j.scale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.InitException;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/**
 * Ten thousand helpers from several threads, a quarter of them failing, with a busy garbage collector: no wrong
 * result, no leak.
 */
@ExtendWith(Leaks.class)
final class StressTest {
    private static final int HELPERS = 10_000;
    private static final int THREADS = 4;
    /** Resident memory may grow by what the compilers take meanwhile; a leak of one page each would be beyond. */
    private static final long ROOM_KIB = 32 << 10;

    @Test
    void tenThousandHelpersOfFourThreadsHaveTheirResults() throws Exception {
        AtomicInteger wrong = new AtomicInteger();
        start(HELPERS, wrong);
        assertEquals(0, wrong.get());
    }

    /** In a JVM whose heap is as large as it will ever be, and resident. */
    @Test
    void tenThousandMoreHelpersTakeNoMemory() throws Exception {
        String out = new Jvm()
                .option("-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch")
                .run(GrowthMain.class)
                .requireSuccess();
        long grown = Long.parseLong(out.trim());
        assertTrue(grown < ROOM_KIB, () -> "resident memory has grown by " + grown + " KiB");
    }

    /** Prints the growth in KiB. */
    static final class GrowthMain {
        public static void main(String[] arguments) throws Exception {
            AtomicInteger wrong = new AtomicInteger();
            start(HELPERS / 2, wrong); // until the hot code is compiled and every thread has its arena
            long before = residentKiB();
            start(HELPERS, wrong);
            System.out.println(residentKiB() - before);
            System.exit(wrong.get());
        }
    }

    private static void start(int helpers, AtomicInteger wrong) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        AtomicBoolean done = new AtomicBoolean();
        Thread collector = new Thread(() -> allocate(done));
        collector.start();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                for (int number = next.getAndIncrement(); number < helpers; number = next.getAndIncrement()) {
                    if (!answersRight(number)) {
                        wrong.incrementAndGet();
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        done.set(true);
        collector.join();
    }

    /** Every fourth fails, each in another way than the one before. */
    private static boolean answersRight(int number) {
        UmhWait wait = number % 3 == 0 ? UmhWait.PROC.killable() : UmhWait.PROC;
        int code = number % 256;
        return switch (number % 16) {
            case 3 -> call("/no/such/program", wait) == -Errno.ENOENT.number();
            case 7 -> call("/etc", wait) == -Errno.EACCES.number();
            case 11 -> call("/etc/passwd", wait) == -Errno.EACCES.number();
            case 15 -> refused(wait) == -Errno.EPERM.number();
            case 2 -> UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), wait) == 9;
            case 6 -> UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.EXEC) == 0;
            case 10 -> UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.NO_WAIT) == 0;
            case 14 -> startedAndKilled();
            default -> UsermodeHelper.exec(ProbeProgram.doing("exit", "" + code), wait) == code << 8;
        };
    }

    private static int call(String path, UmhWait wait) {
        return UsermodeHelper.call(path, new String[] {"x"}, null, wait);
    }

    private static int refused(UmhWait wait) {
        return UsermodeHelper.exec(
                ProbeProgram.doing("exit", "0").init((info, cred) -> {
                    throw new InitException(Errno.EPERM);
                }),
                wait);
    }

    private static boolean startedAndKilled() {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            helper.kill(Signal.TERM);
            return helper.waitFor().raw() == 15;
        } catch (UmhException | InterruptedException e) {
            return false;
        }
    }

    private static void allocate(AtomicBoolean done) {
        List<byte[]> garbage = new ArrayList<>();
        while (!done.get()) {
            garbage.add(new byte[64 << 10]);
            if (garbage.size() > 500) {
                garbage.clear();
            }
        }
    }

    private static long residentKiB() throws IOException {
        System.gc();
        for (String line : Files.readAllLines(java.nio.file.Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS");
    }
}
