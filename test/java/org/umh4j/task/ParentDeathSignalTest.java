// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.support.Amended;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Pid;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/**
 * The parent death signal follows the JVM and not the thread that started the helper. LauncherKilledTest and
 * DriverDiesWithJvmTest kill more JVMs.
 */
@ExtendWith(Leaks.class)
final class ParentDeathSignalTest {
    private static final SignalState TIED = SignalState.defaults().parentDeathSignal(Signal.KILL);

    private static SubprocessInfo tied(String... actions) {
        return ProbeProgram.doing(actions).task(Task.defaults().signals(TIED));
    }

    /** The kernel has sent the signal, if it does, by the time that the thread is gone. */
    @Test
    void helperOutlivesTheThreadThatAskedForIt() throws Exception {
        CompletableFuture<Helper> started = new CompletableFuture<>();
        CompletableFuture<Path> task = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                task.complete(
                        Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName());
                started.complete(UsermodeHelper.start(Amended.task(
                        tied("cat"),
                        old -> old.descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1)))));
            } catch (Exception e) {
                started.completeExceptionally(e);
            }
        });
        thread.start();
        try (Helper helper = started.get()) {
            Await.end(thread);
            Path gone = Path.of("/proc/self/task").resolve(task.get());
            Await.until("the thread is gone", () -> !Files.exists(gone));
            helper.stdin().write('x');
            helper.stdin().flush();
            assertEquals('x', helper.stdout().read());
        }
    }

    /** A new pid namespace makes it the child of another process than the one that the JVM has created. */
    @ParameterizedTest
    @RequiresRoot
    @ValueSource(strings = {"usual", "pid namespace", "no clone3"})
    void helperEndsWithTheJvmForEachWayToStart(String how) throws Exception {
        Jvm jvm = how.equals("no clone3") ? new Jvm().option("-Dorg.umh4j.without=clone3") : new Jvm();
        long pid = Long.parseLong(jvm.run(HaltMain.class, how).out().trim());
        Await.until("the helper ends", () -> !Pid.isRunning(pid));
    }

    /** Starts a helper, prints its pid, and ends. */
    static final class HaltMain {
        public static void main(String[] arguments) throws Exception {
            NamespaceSetup old = NamespaceSetup.defaults();
            boolean fresh = arguments[0].equals("pid namespace");
            Helper helper = UsermodeHelper.start(
                    Amended.task(tied("pause"), task -> task.namespaces(fresh ? old.unshare(Namespace.PID) : old)));
            assertFalse(Files.readString(Path.of("/proc/" + helper.pid() + "/cmdline"))
                    .isEmpty());
            System.out.println(helper.pid());
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
    }
}
