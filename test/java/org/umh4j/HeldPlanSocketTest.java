// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Await;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Pid;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.NamespaceSetup;

/**
 * Another process, such as a fork without exec, keeps a copy of the launcher's end of the plan socket. The socket is
 * not hung up, but each launch still gets its result.
 */
@RequiresRoot
@ExtendWith(Leaks.class)
final class HeldPlanSocketTest {
    private static final int PLAN_SOCKET = 3;
    private static final NamespaceSetup NEW = NamespaceSetup.defaults().unshare(Namespace.PID);

    private static String hold;

    @BeforeAll
    static void compile() throws Exception {
        hold = NativeProgram.compile("hold");
    }

    /** Each of the helpers would run for ever: none of their ends decides. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void startReturnsWhileAnotherProcessHoldsTheSocket(boolean inNewPidNamespace) throws Exception {
        try (Holder holder = new Holder()) {
            SubprocessInfo info = SubprocessInfo.of("/bin/sleep", new String[] {"sleep", "1000"}, null);
            try (Helper helper = UsermodeHelper.start(holder.after(info, inNewPidNamespace))) {
                assertEquals("held", holder.answer.join());
                helper.kill(Signal.KILL);
                assertEquals(9, helper.waitFor().raw());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failureIsReportedWhileAnotherProcessHoldsTheSocket(boolean inNewPidNamespace) throws Exception {
        try (Holder holder = new Holder()) {
            SubprocessInfo info = SubprocessInfo.of("/no/such/program", new String[] {"x"}, null);
            UmhException e =
                    assertThrows(UmhException.class, () -> UsermodeHelper.start(holder.after(info, inNewPidNamespace)));
            assertEquals("held", holder.answer.join());
            assertEquals(UmhStage.EXEC, e.stage());
            assertEquals("ENOENT", e.errnoName());
        }
    }

    /** It sends no report, and must not be mistaken for a launcher whose successor follows. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void killIsNoticedWhileAnotherProcessHoldsTheSocket(boolean inNewPidNamespace) throws Exception {
        try (Holder holder = new Holder()) {
            SubprocessInfo info = SubprocessInfo.of("/bin/sleep", new String[] {"sleep", "1000"}, null);
            info.onCreated(pid -> {
                long launcher = inNewPidNamespace ? Holder.successor() : pid;
                holder.hold(launcher);
                ProcessHandle.of(launcher).orElseThrow().destroyForcibly();
            });
            SubprocessInfo asked = inNewPidNamespace ? info.task(info.task().namespaces(NEW)) : info;
            UmhException e = assertThrows(UmhException.class, () -> UsermodeHelper.start(asked));
            assertEquals("held", holder.answer.join());
            assertEquals(UmhStage.KILLED, e.stage());
        }
    }

    /** A helper that stops itself with its first instruction stays stopped, and lives. */
    @Test
    void selfStoppedHelperStaysStoppedWhileTheSocketIsHeld() throws Exception {
        try (Holder holder = new Holder()) {
            SubprocessInfo info = holder.after(
                    SubprocessInfo.of("/bin/sh", new String[] {"sh", "-c", "kill -STOP $$; exit 7"}, null), false);
            try (Helper helper = UsermodeHelper.start(info)) {
                assertEquals("held", holder.answer.join());
                Await.until("it is stopped", () -> Pid.state(helper.pid()) == 'T');
                helper.kill(Signal.CONT);
                assertEquals(7 << 8, helper.waitFor().raw());
            }
        }
    }

    private static final class Holder implements AutoCloseable {
        final CompletableFuture<String> answer = new CompletableFuture<>();
        private Process process;

        /** The launcher waits there until it has its copy. */
        SubprocessInfo after(SubprocessInfo info, boolean inNewPidNamespace) {
            info.onCreated(pid -> hold(inNewPidNamespace ? successor() : pid));
            return inNewPidNamespace ? info.task(info.task().namespaces(NEW)) : info;
        }

        /** The first process of a new pid namespace among our children. */
        static long successor() {
            List<Long> found = new ArrayList<>();
            assertDoesNotThrow(() -> Await.until("the successor is there", () -> {
                ProcessHandle.current()
                        .children()
                        .map(ProcessHandle::pid)
                        .filter(Holder::isFirst)
                        .forEach(found::add);
                return !found.isEmpty();
            }));
            return found.get(0);
        }

        private static boolean isFirst(long pid) {
            try {
                return Files.readString(Path.of("/proc/" + pid + "/status")).contains("NSpid:\t" + pid + "\t1\n");
            } catch (IOException e) {
                return false; // it is gone
            }
        }

        void hold(long pid) {
            try {
                process = new ProcessBuilder(hold, Long.toString(pid), Integer.toString(PLAN_SOCKET)).start();
                answer.complete(new String(process.getInputStream().readNBytes(4), StandardCharsets.US_ASCII));
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        }

        @Override
        public void close() throws IOException {
            process.getOutputStream().close();
            assertEquals(0, process.onExit().join().exitValue());
            process.getInputStream().close();
            process.getErrorStream().close();
        }
    }
}
