// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.umh4j.Helper;
import org.umh4j.HelperTimeoutException;
import org.umh4j.InitException;
import org.umh4j.Pipeline;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Task;

/** The operations of a soak, each with its frequency, its number of helpers, and the check of its result. */
enum Load {
    WAIT("wait for the exit", 8, 1, () -> exec("7", UmhWait.PROC) == 7 << 8),
    KILLABLE("wait for the exit, killable", 8, 1, () -> exec("8", UmhWait.PROC.killable()) == 8 << 8),
    FREEZABLE(
            "wait for the exit, freezable",
            4,
            1,
            () -> exec("9", UmhWait.PROC.killable().freezable()) == 9 << 8),
    EXEC("wait for the execve", 8, 1, () -> exec("0", UmhWait.EXEC) == 0),
    NO_WAIT("no wait", 8, 1, () -> exec("0", UmhWait.NO_WAIT) == 0),
    DIES("helper killed by a signal", 4, 1, () -> call(ProbeProgram.doing("kill", "9"), UmhWait.PROC) == 9),
    PRIVILEGE(
            "no new privileges",
            4,
            1,
            () -> call(
                            ProbeProgram.doing("exit", "0")
                                    .task(Task.defaults().cred(Cred.defaults().noNewPrivs())),
                            UmhWait.PROC)
                    == 0),
    STARTED("`start`, then `kill`", 4, 1, Load::startedAndKilled),
    CAPTURED("`run` with input and output", 2, 1, Load::captured),
    PIPELINE("pipeline of two helpers", 1, 2, Load::piped),
    DRIVER("driver: load, fork, close", 2, 1, Load::driver),
    CGROUP("helper in a new cgroup, killed with it", 2, 1, Load::inCgroup),
    NAMESPACE("helper in a new pid namespace", 2, 1, Load::inNamespace),
    TIMEOUT("timeout", 1, 1, Load::timedOut),
    INTERRUPTED("interrupted caller", 2, 1, Load::interrupted),
    MISSING("missing program", 2, 0, () -> call(program("/no/such/program"), UmhWait.PROC) == -Errno.ENOENT.number()),
    NO_PROGRAM("directory as program", 1, 0, () -> call(program("/etc"), UmhWait.EXEC) == -Errno.EACCES.number()),
    REFUSED("init function that fails", 1, 0, Load::refused),
    PROCESS_BUILDER(
            "process of `ProcessBuilder`",
            1,
            0,
            () -> new ProcessBuilder("/bin/false").start().waitFor() == 1);

    /** One try. */
    interface Try {
        boolean isRight() throws Exception;
    }

    /** Calls that have a cleanup function, and how often one ran. */
    static final LongAdder CALLED = new LongAdder();

    static final LongAdder CLEANED = new LongAdder();

    final String what;
    final int weight;
    final int helpers;
    private final Try once;

    Load(String what, int weight, int helpers, Try once) {
        this.what = what;
        this.weight = weight;
        this.helpers = helpers;
        this.once = once;
    }

    boolean isRight() throws Exception {
        return once.isRight();
    }

    /** Whether this machine, and this user, can do it. */
    boolean isPossible() {
        return switch (this) {
            case CGROUP -> Cgroups.areThere();
            case NAMESPACE -> Counts.isRoot();
            default -> true;
        };
    }

    private static int call(SubprocessInfo info, UmhWait wait) {
        CALLED.increment();
        return UsermodeHelper.exec(info.cleanup(over -> CLEANED.increment()), wait);
    }

    private static int exec(String code, UmhWait wait) {
        return call(ProbeProgram.doing("exit", code), wait);
    }

    private static SubprocessInfo program(String path) {
        return SubprocessInfo.of(path, new String[] {"x"}, null);
    }

    private static boolean refused() {
        SubprocessInfo info = ProbeProgram.doing("exit", "0").init((call, cred) -> {
            throw new InitException(Errno.EPERM);
        });
        return call(info, UmhWait.PROC) == -Errno.EPERM.number();
    }

    private static boolean startedAndKilled() throws Exception {
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("pause"))) {
            helper.kill(Signal.TERM);
            return helper.waitFor().raw() == Signal.TERM.number();
        }
    }

    private static SubprocessInfo cat() {
        return SubprocessInfo.of("/bin/cat", new String[] {"cat"}, null);
    }

    private static boolean captured() throws Exception {
        byte[] input = "hello".getBytes(StandardCharsets.US_ASCII);
        return UsermodeHelper.run(cat(), RunOptions.defaults().input(input))
                .stdoutText()
                .equals("hello");
    }

    private static boolean piped() throws Exception {
        try (Pipeline pipeline = Pipeline.start(
                ProbeProgram.doing("exit", "3"),
                cat().task(Task.defaults().descriptors(Descriptors.none().devNull(1))))) {
            return pipeline.waitFor().equals(List.of(new WaitStatus(3 << 8), new WaitStatus(0)));
        }
    }

    private static boolean driver() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            return driver.isRunning() && driver.tgid() > 0;
        }
    }

    private static boolean inCgroup() throws Exception {
        try (Cgroups.One group = Cgroups.make();
                Helper helper = UsermodeHelper.start(group.of(ProbeProgram.doing("pause")))) {
            return group.has(helper.pid());
        }
    }

    private static boolean inNamespace() throws Exception {
        NamespaceSetup fresh = NamespaceSetup.defaults().unshare(Namespace.PID);
        return call(ProbeProgram.doing("exit", "4").task(Task.defaults().namespaces(fresh)), UmhWait.PROC) == 4 << 8;
    }

    private static boolean timedOut() throws Exception {
        try {
            UsermodeHelper.run(ProbeProgram.doing("pause"), Duration.ofMillis(5));
            return false;
        } catch (HelperTimeoutException e) {
            return true;
        }
    }

    /** The helper runs on, and is then ended by its own time. */
    /** It goes on without its caller; on a busy machine it may have ended before that one looks. */
    private static boolean interrupted() {
        Thread.currentThread().interrupt();
        int retval = call(ProbeProgram.doing("sleep", "5"), UmhWait.PROC.killable());
        return Thread.interrupted() && (retval == -Errno.EINTR.number() || retval == 0);
    }
}
