// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Ignoring;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Strace;
import org.umh4j.task.Cred;
import org.umh4j.task.Fs;
import org.umh4j.task.Task;

/**
 * System calls of the JVM side and of the launcher are refused, as {@code make faults} refuses them without a JVM.
 * Each launch fails with stage and errno, or another call replaces the refused one. Cleanup runs once, nothing leaks,
 * and the next call works. UmhStageTest tests the requested steps, RefusedSyscallTest each call of the launcher.
 */
final class FaultInjectionTest {
    /** How it is started, what fails, with what, and what came of it. */
    record Row(String way, String call, String errno, String outcome) {
        @Override
        public String toString() {
            return way + " " + call + " " + errno + ": " + outcome;
        }
    }

    private static final List<Row> ROWS = List.of(
            new Row("exec", "socketpair", "EMFILE", "SOCKET EMFILE"),
            new Row("exec", "socketpair", "ENFILE", "SOCKET ENFILE"),
            new Row("start", "socketpair", "ENOBUFS", "SOCKET ENOBUFS"),
            new Row("exec", "sendmsg", "ENOMEM", "SOCKET ENOMEM"),
            new Row("wait", "sendmsg", "ENOBUFS", "SOCKET ENOBUFS"),
            new Row("start", "sendmsg", "ETOOMANYREFS", "SOCKET ETOOMANYREFS"),
            new Row("large", "memfd_create", "EMFILE", "SOCKET EMFILE"),
            new Row("large", "memfd_create", "ENOMEM", "SOCKET ENOMEM"),
            new Row("large", "memfd_create", "ENOSYS", "SOCKET ENOSYS"),
            new Row("exec", "dup3", "EMFILE", "CLONE EMFILE"),
            new Row("wait", "dup3", "EBUSY", "CLOSE_FDS EBUSY"),
            new Row("exec", "clone3", "EAGAIN", "CLONE EAGAIN"),
            new Row("wait", "clone3", "ENOMEM", "CLONE ENOMEM"),
            new Row("start", "clone3", "EMFILE", "CLONE EMFILE"),
            new Row("exec", "close_range", "ENOMEM", "CLOSE_FDS ENOMEM"),
            new Row("wait", "close_range", "EMFILE", "CLOSE_FDS EMFILE"),
            new Row("exec", "close_range:when=2", "EIO", "CLOSE_FDS EIO"),
            new Row("start", "close_range:when=3", "EIO", "CLOSE_FDS EIO"),
            new Row("exec", "execveat", "EACCES", "LAUNCH EACCES"),
            new Row("wait", "execveat", "ENOMEM", "LAUNCH ENOMEM"),
            new Row("start", "execveat", "ETXTBSY", "LAUNCH ETXTBSY"),
            // The launcher
            new Row("wait", "recvmsg", "ENOMEM", "PLAN ENOMEM"), // and the parent half asks once more
            new Row("exec", "setsid", "ENOSYS", "SESSION ENOSYS"),
            new Row("exec", "chdir", "ENOMEM", "CWD ENOMEM"),
            new Row("wait", "chdir", "EIO", "CWD EIO"),
            new Row("exec", "capget", "EFAULT", "CAPABILITIES EFAULT"),
            new Row("ignoring", "rt_sigaction:when=40", "EINVAL", "SIGNALS EINVAL"),
            new Row("start", "execve", "ENOMEM", "EXEC ENOMEM"),
            new Row("wait", "execve", "ETXTBSY", "EXEC ETXTBSY"),
            new Row("exec", "execve", "ELIBBAD", "EXEC ELIBBAD"),
            // EAGAIN, too, is how a launch fails, and not that it is not decided yet
            new Row("exec", "execve", "EAGAIN", "EXEC EAGAIN"),
            new Row("killable", "execve", "EAGAIN", "EXEC EAGAIN"),
            new Row("killable", "setsid", "EAGAIN", "SESSION EAGAIN"),
            new Row("killable", "clone3", "EAGAIN", "CLONE EAGAIN"),
            // A driver, which begins after a message of the JVM
            new Row("driver", "memfd_create", "ENFILE", "BLOB ENFILE"),
            new Row("driver", "fchmod", "EIO", "BLOB EIO"),
            new Row("driver", "sendto", "ENOMEM", "EXEC ENOMEM"),
            new Row("driver", "execveat:when=2", "ENOMEM", "EXEC ENOMEM"),
            // Its path serves, unless another user may have replaced it
            new Row("driver", "execveat:when=2", "EPERM", "0"),
            new Row("driver in a root", "execveat:when=2", "EPERM", "EXEC EPERM"),
            // Calls that block or are interrupted are repeated
            new Row("exec", "poll", "EINTR", "0"),
            new Row("wait", "waitid", "EINTR", "0"),
            new Row("start", "epoll_wait", "EINTR", "0"),
            new Row("exec", "recvmsg", "EINTR", "0"),
            new Row("wait", "recvmsg", "EINTR", "0"),
            new Row("driver", "sendto", "EINTR", "0"),
            new Row("large", "write", "EINTR", "0"),
            new Row("exec", "poll", "ENOMEM", "WAIT ENOMEM"),
            new Row("wait", "waitid", "EINVAL", "WAIT EINVAL"),
            // The way of an older kernel; each is remembered, so these are last
            new Row("wait", "personality", "EPERM", "0"),
            new Row("exec", "clone3", "EPERM", "0"),
            new Row("exec", "close_range", "EPERM", "0"),
            new Row("exec", "execveat", "EPERM", "0"),
            new Row("wait", "execveat", "ENOSYS", "0"));

    @Test
    @RequiresRoot
    void refusedSyscallIsReportedAndTheNextCallWorks() throws Exception {
        StringBuilder expected = new StringBuilder();
        ROWS.forEach(row -> expected.append(row).append(", next 0\n"));
        assertEquals(expected.toString(), new Jvm().run(FaultMain.class).requireSuccess());
    }

    /** One row after the other. */
    static final class FaultMain {
        public static void main(String[] arguments) throws Exception {
            for (String way :
                    List.of("exec", "wait", "killable", "start", "large", "driver", "driver in a root", "ignoring")) {
                started(way);
            }
            ProbeProgram.report();
            Strace.inject("getppid", "error=EPERM", () -> 0);
            TreeMap<String, Long> before = Leaks.descriptors();
            for (Row row : ROWS) {
                String outcome = Strace.inject(row.call(), "error=" + row.errno(), () -> started(row.way()));
                int next = UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
                System.out.println(new Row(row.way(), row.call(), row.errno(), outcome) + ", next " + next);
            }
            Leaks.assertNothingLeft(before);
        }

        /** The result of the call, after which cleanup has run exactly once. */
        private static String started(String way) throws Exception {
            try {
                if (way.startsWith("driver")) {
                    return driver(
                            way.equals("driver") ? Fs.defaults() : Fs.defaults().root("/"));
                }
                AtomicInteger cleanups = new AtomicInteger();
                SubprocessInfo info = ProbeProgram.doing("exit", "0").cleanup(call -> cleanups.incrementAndGet());
                String outcome = way.equals("start") ? live(info) : executed(way, info);
                return cleanups.get() == 1 ? outcome : outcome + ", cleanup ran " + cleanups + " times";
            } catch (UmhException e) {
                return e.stage() + " " + e.errnoName();
            }
        }

        private static String live(SubprocessInfo info) throws Exception {
            try (Helper helper = UsermodeHelper.start(info)) {
                return Integer.toString(helper.waitFor().raw());
            } catch (UmhException e) { // told here, so that the caller sees whether cleanup has run
                return e.stage() + " " + e.errnoName();
            }
        }

        private static String driver(Fs fs) throws Exception {
            try (UsermodeDriver driver = UsermodeDriver.load("probe", DriverBlobs.probe())) {
                driver.arguments("exit", "0").task(Task.defaults().fs(fs)).fork();
                return Integer.toString(driver.onExit().get().raw());
            }
        }

        private static String executed(String way, SubprocessInfo info) {
            if (way.equals("ignoring")) {
                info.task(info.task().signals(Ignoring.everySignal()));
            }
            if (way.equals("large")) {
                info.task(info.task()
                        .cred(Cred.defaults()
                                .groups(IntStream.range(1, 3000).asLongStream().toArray())));
            }
            UmhWait wait =
                    way.equals("killable") ? UmhWait.PROC.killable() : way.equals("exec") ? UmhWait.EXEC : UmhWait.PROC;
            int retval = UsermodeHelper.exec(info, wait);
            return info.failure()
                    .map(failure -> failure.stage() + " " + failure.errnoName())
                    .orElse("" + retval);
        }
    }
}
