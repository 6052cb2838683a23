// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** A JVM that is out of memory for a while reports each end as soon as it has memory again. */
final class OutOfMemoryTest {
    @Test
    void endsAreReportedOnceMemoryIsFree() throws Exception {
        // Without private buffers all threads lack memory at the same time.
        Jvm jvm = new Jvm().option("-Xmx24m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
        assertEquals("all told\n", jvm.run(FullMain.class).requireSuccess());
    }

    /** Kills its helpers while there is no memory, until the thread that should tell of them has noticed that. */
    static final class FullMain {
        private static final int ROUNDS = 2;
        private static final int HELPERS = 20;

        public static void main(String[] arguments) throws Exception {
            tryOnce(true); // all is loaded that is loaded once
            var before = Leaks.descriptors();
            for (int round = 0; round < ROUNDS; round++) {
                tryOnce(false);
            }
            Leaks.assertNothingLeft(before);
            System.out.println("all told");
        }

        private static void tryOnce(boolean withMemory) throws Exception {
            List<Helper> helpers = new ArrayList<>();
            for (int i = 0; i < HELPERS; i++) {
                helpers.add(UsermodeHelper.start(ProbeProgram.doing("pause")
                        .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)))));
            }
            AtomicReference<Object> seen = new AtomicReference<>();
            Thread reader = new Thread(() -> read(helpers.get(0), seen));
            reader.start();
            Await.blocked(reader);
            if (withMemory) {
                killAll(helpers);
            } else {
                killWithoutMemory(helpers, reaper());
            }
            for (Helper helper : helpers) {
                assertEquals(9, helper.waitFor(Await.PATIENCE).orElseThrow().signal());
            }
            Await.end(reader);
            assertEquals(-1, seen.get());
            helpers.forEach(Helper::close);
        }

        private static void read(Helper helper, AtomicReference<Object> seen) {
            while (seen.get() == null) {
                try {
                    seen.set(helper.stdout().read());
                } catch (IOException e) {
                    seen.set(e);
                } catch (OutOfMemoryError e) {
                    // this thread lacks it too
                }
            }
        }

        private static Thread reaper() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("umh4j-reaper"))
                    .findFirst()
                    .orElseThrow();
        }

        /** Nothing is given back before the reaper pauses, which it does for no other reason than this. */
        private static void killWithoutMemory(List<Helper> helpers, Thread reaper) throws IOException {
            Object[] taken = null;
            for (int size = 1 << 16; size > 0; ) {
                try {
                    Object[] more = new Object[size];
                    more[0] = taken;
                    taken = more;
                } catch (OutOfMemoryError e) {
                    size /= 2;
                }
            }
            killAll(helpers);
            while (reaper.getState() == Thread.State.RUNNABLE && anyLives(helpers)) {
                Thread.onSpinWait();
            }
            taken[0] = null;
        }

        private static void killAll(List<Helper> helpers) throws IOException {
            for (int i = 0; i < helpers.size(); i++) { // an iterator would be memory
                helpers.get(i).kill(Signal.KILL);
            }
        }

        private static boolean anyLives(List<Helper> helpers) {
            boolean any = false;
            for (int i = 0; i < helpers.size(); i++) {
                any |= helpers.get(i).isAlive();
            }
            return any;
        }
    }
}
