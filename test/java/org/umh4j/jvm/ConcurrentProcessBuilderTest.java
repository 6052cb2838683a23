// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.RunOptions;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;

/** The JDK starts a thousand children at the same time: neither hangs, leaks, or reaps the other's children. */
@ExtendWith(Leaks.class)
final class ConcurrentProcessBuilderTest {
    private static final int CHILDREN = 1_000;
    private static final int THREADS = 2;

    private interface Start {
        boolean answersRight(int number) throws Exception;
    }

    @Test
    void libraryAndJdkReapOnlyTheirChildren() throws Exception {
        AtomicInteger right = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(thread(i, right, ConcurrentProcessBuilderTest::ofTheJdk));
            threads.add(thread(i, right, ConcurrentProcessBuilderTest::ofOurs));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(2 * CHILDREN, right.get());
    }

    private static Thread thread(int first, AtomicInteger right, Start start) {
        return new Thread(() -> {
            for (int number = first; number < CHILDREN; number += THREADS) {
                try {
                    right.addAndGet(start.answersRight(number) ? 1 : 0);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        });
    }

    private static boolean ofTheJdk(int number) throws Exception {
        String text = Integer.toString(number);
        Process process =
                new ProcessBuilder(ProbeProgram.path(), "print", text, "exit", Integer.toString(number % 200)).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes()).trim();
        process.getInputStream().close();
        process.getErrorStream().close();
        return process.waitFor() == number % 200 && out.equals(text);
    }

    private static boolean ofOurs(int number) throws Exception {
        String text = Integer.toString(number);
        SubprocessInfo info = ProbeProgram.doing("print", text, "exit", Integer.toString(number % 200));
        return switch (number % 3) {
            case 0 -> {
                RunResult result = UsermodeHelper.run(info, RunOptions.defaults());
                yield result.status().exitCode() == number % 200
                        && result.stdoutText().trim().equals(text);
            }
            case 1 ->
                UsermodeHelper.exec(
                                info.task(info.task()
                                        .descriptors(Descriptors.none().devNull(1))),
                                UmhWait.PROC)
                        == (number % 200) << 8;
            default -> {
                try (Helper helper = UsermodeHelper.start(
                        info.task(info.task().descriptors(Descriptors.none().pipeToJvm(1))))) {
                    String out = new String(helper.stdout().readAllBytes()).trim();
                    yield out.equals(text) && helper.waitFor().exitCode() == number % 200;
                }
            }
        };
    }
}
