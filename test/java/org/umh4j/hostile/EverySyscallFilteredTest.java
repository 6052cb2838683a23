// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;

/**
 * A filter that treats every system call alike leaves the launcher no call to report with or to exit by. The launch
 * still ends and is reported.
 */
@ExtendWith(Leaks.class)
final class EverySyscallFilteredTest {
    private static final int RETURN = 0x06;
    private static final int SIGSYS = 31;

    /** The kernel's action for each system call, and the resulting end of a launch: an errno at EXEC, or a signal. */
    private enum Answer {
        ERRNO_EPERM(0x00050001, "EPERM"),
        ERRNO_ENOSYS(0x00050026, "ENOSYS"),
        ERRNO_4095(0x00050fff, "errno 4095"),
        ERRNO_0(0x00050000, "EPERM"), // reports an execve that did not happen
        TRACE(0x7ff00000, "ENOSYS"),
        USER_NOTIF(0x7fc00000, "ENOSYS"),
        TRAP(0x00030000, null),
        KILL_THREAD(0x00000000, null),
        KILL_PROCESS(0x80000000, null),
        LOG(0x7ffc0000, "");

        private final int value;
        private final String errno;

        Answer(int value, String errno) {
            this.value = value;
            this.errno = errno;
        }

        byte[] filter() {
            ByteBuffer filter = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
            return filter.putShort((short) RETURN)
                    .putShort((short) 0)
                    .putInt(value)
                    .array();
        }
    }

    /** How a caller waits. */
    private enum Way {
        PROC,
        EXEC,
        KILLABLE,
        START,
        RUN,
        NEW_PID_NAMESPACE,
        DRIVER
    }

    static Stream<Arguments> pairs() {
        return Stream.of(Answer.values())
                .flatMap(answer -> Stream.of(Way.values()).map(way -> Arguments.of(answer, way)));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    @RequiresRoot
    void launchEndsAndIsReported(Answer answer, Way way) throws Exception {
        String[] result = {null};
        Throwable[] thrown = {null};
        Thread caller = new Thread(() -> {
            try {
                result[0] = outcome(answer, way);
            } catch (Throwable e) {
                thrown[0] = e;
            }
        });
        caller.start();
        Await.end(caller);
        if (thrown[0] != null) {
            throw new AssertionError(thrown[0]);
        }
        String expected =
                answer.errno == null ? "signal " + SIGSYS : answer.errno.isEmpty() ? "ran" : "EXEC " + answer.errno;
        assertEquals(expected, result[0]);
    }

    private static SubprocessInfo call(Answer answer) {
        return ProbeProgram.doing("exit", "0")
                .task(Task.defaults()
                        .cred(Cred.defaults().noNewPrivs())
                        .sandbox(Sandbox.defaults().seccomp(answer.filter())));
    }

    private static String outcome(Answer answer, Way way) throws Exception {
        SubprocessInfo info = call(answer);
        try {
            return switch (way) {
                case PROC -> told(info, UsermodeHelper.exec(info, UmhWait.PROC));
                case KILLABLE -> told(info, UsermodeHelper.exec(info, UmhWait.PROC.killable()));
                case NEW_PID_NAMESPACE -> {
                    info.task(info.task().namespaces(NamespaceSetup.defaults().unshare(Namespace.PID)));
                    yield told(info, UsermodeHelper.exec(info, UmhWait.PROC));
                }
                case EXEC -> {
                    int retval = UsermodeHelper.exec(info, UmhWait.EXEC);
                    yield retval == 0 ? (answer.errno == null ? "signal " + SIGSYS : "ran") : told(info, retval);
                }
                case START -> {
                    try (Helper helper = UsermodeHelper.start(info)) {
                        yield status(helper.waitFor());
                    }
                }
                case RUN ->
                    status(UsermodeHelper.run(info, Duration.ofMinutes(5)).status());
                case DRIVER -> driven(answer);
            };
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    private static String driven(Answer answer) throws Exception {
        byte[] program = Files.readAllBytes(java.nio.file.Path.of(ProbeProgram.path()));
        try (UsermodeDriver driver = UsermodeDriver.load("filtered", program)) {
            driver.arguments("exit", "0")
                    .task(Task.defaults()
                            .cred(Cred.defaults().noNewPrivs())
                            .sandbox(Sandbox.defaults().seccomp(answer.filter())));
            driver.fork();
            return status(driver.onExit().get());
        }
    }

    private static String told(SubprocessInfo info, int retval) {
        return info.failure().map(e -> e.stage() + " " + e.errnoName()).orElseGet(() -> status(new WaitStatus(retval)));
    }

    private static String status(WaitStatus status) {
        return status.signaled() ? "signal " + status.signal() : "ran";
    }
}
