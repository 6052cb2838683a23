// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Rlimit;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** The kernel accepts both ends of each range that the API allows. */
@ExtendWith(Leaks.class)
final class AllowedRangesTest {
    private record End(String name, SubprocessInfo info) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static SubprocessInfo info() {
        return ProbeProgram.doing("exit", "0");
    }

    private static End sched(String name, Sched sched) {
        return new End(name, info().task(Task.defaults().sched(sched)));
    }

    private static End limits(String name, Limits limits) {
        return new End(name, info().task(Task.defaults().limits(limits)));
    }

    private static End signals(String name, SignalState signals) {
        return new End(name, info().task(Task.defaults().signals(signals)));
    }

    static Stream<End> ends() {
        Sched sched = Sched.defaults();
        Limits limits = Limits.defaults();
        Cred cred = Cred.defaults();
        return Stream.of(
                sched("nice -20", sched.nice(-20)),
                sched("nice 19", sched.nice(19)),
                sched("I/O level 0", sched.ioprio(Sched.IoClass.BEST_EFFORT, 0)),
                sched("I/O level 7", sched.ioprio(Sched.IoClass.BEST_EFFORT, 7)),
                sched("slack of 1 ns", sched.timerSlack(Duration.ofNanos(1))),
                sched("longest slack", sched.timerSlack(Duration.ofNanos(Long.MAX_VALUE))),
                sched("first and last cpu", sched.affinity(0, 65_535)),
                limits("oom -1000", limits.oomScoreAdj(-1_000)),
                limits("oom 1000", limits.oomScoreAdj(1_000)),
                limits("no core mapping", limits.coredumpFilter(0)),
                limits("all core mappings", limits.coredumpFilter(0x1ff)),
                limits("no core", limits.rlimit(Rlimit.CORE, 0)),
                limits("any core", limits.rlimit(Rlimit.CORE, Rlimit.INFINITY)),
                limits("largest number", limits.rlimit(Rlimit.FSIZE, Long.MAX_VALUE)),
                new End("umask 0", info().task(Task.defaults().fs(Fs.defaults().umask(0)))),
                new End(
                        "umask 0777",
                        info().task(Task.defaults().fs(Fs.defaults().umask(0777)))),
                new End(
                        "uid 0",
                        info().task(Task.defaults().cred(cred.uid(0).gid(0).groups(new long[0])))),
                new End(
                        "largest id",
                        info().task(Task.defaults()
                                .cred(cred.uid(Cred.MAX_ID).gid(Cred.MAX_ID).groups(Cred.MAX_ID)))),
                signals("signal 1", SignalState.defaults().block(1).ignore(1)),
                signals("signal 64", SignalState.defaults().block(64).ignore(64)),
                new End(
                        "descriptor 0",
                        info().task(Task.defaults()
                                .descriptors(Descriptors.none().devNull(0)))),
                new End("personality 0", info().task(Task.defaults().personality(0))),
                new End("shortest name", info().task(Task.defaults().cred(cred.newKeyring("k")))));
    }

    @ParameterizedTest
    @MethodSource("ends")
    @RequiresRoot
    void kernelAcceptsBothEndsOfEachRange(End end) {
        int retval = UsermodeHelper.exec(end.info, UmhWait.PROC);
        boolean isRefused = retval == -Errno.EACCES.number() && end.name.equals("oom -1000");
        if (isRefused) {
            Need.LOWER_OOM_SCORE.missing(); // the host's refusal, and not the kernel's limit
        }
        assertEquals(0, retval, () -> "" + end.info.failure());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, UsermodeDriver.MAX_NAME_BYTES})
    void shortestAndLongestNameOfADriverAreAccepted(int length) throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load("d".repeat(length), DriverBlobs.probe())) {
            driver.arguments("exit", "0").fork();
            assertEquals(0, driver.onExit().join().exitCode());
        }
    }
}
