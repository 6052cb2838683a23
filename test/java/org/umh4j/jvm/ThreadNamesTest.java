// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** The names of the library's threads in {@code jstack}. */
final class ThreadNamesTest {
    @Test
    void threadsAreKnownByTheirNames() throws Exception {
        CountDownLatch looked = new CountDownLatch(1);
        CountDownLatch reached = new CountDownLatch(1);
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("cat")
                .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0))))) {
            var callback = helper.onExit().thenAccept(status -> {
                reached.countDown();
                uninterruptibly(looked);
            });
            helper.stdin().close(); // not before: what has ended calls back at once, in this thread
            reached.await();
            String dump = jcmd();
            looked.countDown();
            callback.get();
            TreeSet<String> names = new TreeSet<>();
            Matcher thread = Pattern.compile("(?m)^\"(umh[^\"]*)\" .*daemon").matcher(dump);
            while (thread.find()) {
                names.add(thread.group(1));
            }
            assertEquals(new TreeSet<>(java.util.Set.of("umh4j-reaper", "umh4j-worker")), names, dump);
            assertTrue(dump.contains("ThreadNamesTest.lambda"), "the callback that blocks shows where");
        }
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String jcmd() throws Exception {
        Process tool = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/jcmd",
                        Long.toString(ProcessHandle.current().pid()),
                        "Thread.print")
                .redirectErrorStream(true)
                .start();
        String out = new String(tool.getInputStream().readAllBytes());
        assertEquals(0, tool.waitFor(), out);
        return out;
    }
}
