// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** No thread can be created: no process is started that no thread would wait for, and cleanup runs. */
@RequiresRoot
final class ThreadLimitTest {
    @Test
    void startWithoutReaperThreadStartsNoProcess() throws Exception {
        assertEquals("WAIT EAGAIN, cleanup -11, children []\n", limited("start"));
    }

    @Test
    void noWaitCallWithoutThreadRunsCleanup() throws Exception {
        assertEquals("WAIT EAGAIN, cleanup 0, children []\n", limited("no-wait"));
    }

    @Test
    void callWithoutThreadFailsWithEagainAtClone() throws Exception {
        assertEquals("CLONE EAGAIN, cleanup -11, children []\n", limited("proc"));
    }

    private static String limited(String how) throws Exception {
        return new Jvm()
                .asNobody()
                .option("-XX:+UseSerialGC", "-Xlog:disable")
                .run(NoThreadMain.class, how)
                .requireSuccess();
    }

    /** Makes every thread that its limit lets it make, and then a call. */
    static final class NoThreadMain {
        public static void main(String[] arguments) throws Exception {
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            lowerLimit();
            int[] cleaned = {1};
            SubprocessInfo info = ProbeProgram.doing("exit", "0").cleanup(call -> cleaned[0] = call.retval());
            try {
                switch (arguments[0]) {
                    case "start" -> UsermodeHelper.start(info).close();
                    case "no-wait" -> UsermodeHelper.exec(info, UmhWait.NO_WAIT);
                    default -> UsermodeHelper.exec(info, UmhWait.PROC);
                }
            } catch (UmhException e) {
                // reported below
            }
            String failure =
                    info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse("no failure");
            System.out.println(failure + ", cleanup " + cleaned[0] + ", children " + Leaks.children());
            System.out.flush();
            Runtime.getRuntime().halt(0); // an orderly end would need threads too
        }

        private static void lowerLimit() throws Exception {
            long pid = ProcessHandle.current().pid();
            String[] argv = {"prlimit", "--pid", Long.toString(pid), "--nproc=200:200"};
            if (UsermodeHelper.exec(SubprocessInfo.of("/usr/bin/prlimit", argv, null), UmhWait.PROC) != 0) {
                throw new AssertionError("prlimit failed");
            }
            try {
                while (true) {
                    new Thread(NoThreadMain::stay).start();
                }
            } catch (OutOfMemoryError e) {
                // all of them
            }
        }

        private static void stay() {
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
