// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.Session;
import org.umh4j.task.Task;

/** A JVM that was started in an odd way starts the same helpers, and has the same answers. */
final class OddJvmTest {
    private static final Map<String, Function<Jvm, Jvm>> WAYS = Map.of(
            "as usual", jvm -> jvm,
            "without use of signals", jvm -> jvm.option("-Xrs"),
            "with signals ignored", jvm -> jvm.under("env", "--ignore-signal=CHLD,PIPE,INT,HUP,TERM,USR1"),
            "with signals blocked", jvm -> jvm.under("env", "--block-signal=CHLD,PIPE,INT,HUP,TERM,USR1"),
            "with every signal blocked", jvm -> jvm.under("env", "--block-signal"),
            "with a few descriptors", jvm -> jvm.under("prlimit", "--nofile=200:200"),
            "with ten thousand descriptors",
                    jvm -> jvm.under(
                            "prlimit",
                            "--nofile=12000:",
                            ProbeProgram.path(),
                            "descriptors",
                            "10000",
                            "exec",
                            "/usr/bin/env",
                            "env"),
            "in a folder that is gone",
                    jvm -> jvm.after("cd $(mktemp -d)").option("-Dtest.gone=true"), // only then: no JVM begins there
            "as pid 1", jvm -> jvm.under("unshare", "--pid", "--fork", "--mount-proc"),
            "as pid 1 without a mount of proc", jvm -> jvm.under("unshare", "--pid", "--fork"));

    static final List<String> EXPECTED = List.of(
            "exec 1792 9 -2",
            "parked 1792 9 -2",
            "start exit code 7",
            "run hello, exit code 3",
            "streams 100000",
            "gone ok",
            "timeout killed by SIGTERM",
            "led nobody false false",
            "report umask 0022, cwd /, fds [], SigIgn 0, SigBlk 0",
            "");

    @ParameterizedTest
    @RequiresRoot
    @ValueSource(
            strings = {
                "as usual",
                "without use of signals",
                "with signals ignored",
                "with signals blocked",
                "with every signal blocked",
                "with a few descriptors",
                "with ten thousand descriptors",
                "in a folder that is gone",
                "as pid 1",
                "as pid 1 without a mount of proc",
            })
    void answersAreTheSame(String way) throws Exception {
        String out = WAYS.get(way).apply(new Jvm()).run(EverythingMain.class).requireSuccess();
        assertEquals(String.join("\n", EXPECTED), out);
    }

    /** Such a JVM gets its library's and the helper's files in the place of its standard streams. */
    @ParameterizedTest
    @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"})
    void answersAreTheSameWithStandardDescriptorsClosed(String closed) throws Exception {
        Path said = java.nio.file.Files.createTempFile("odd", ".txt");
        Jvm jvm = new Jvm().under("/bin/sh", "-c", "exec \"$0\" \"$@\" " + closed);
        assertEquals(0, jvm.run(EverythingMain.class, said.toString()).exitCode());
        assertEquals(String.join("\n", EXPECTED), java.nio.file.Files.readString(said));
        java.nio.file.Files.delete(said);
    }

    /** Goes through all ways to use a helper and says what came of each. */
    static final class EverythingMain {
        private static final List<String> SAID = new ArrayList<>();

        public static void main(String[] arguments) throws Exception {
            if (Boolean.getBoolean("test.gone")) {
                java.nio.file.Files.delete(Path.of(System.getProperty("user.dir")));
            }
            UmhWait parked = UmhWait.PROC.killable();
            SAID.add("exec " + exec("7", UmhWait.PROC) + " " + killed(UmhWait.PROC) + " " + missing(UmhWait.PROC));
            SAID.add("parked " + exec("7", parked) + " " + killed(parked) + " " + missing(parked));
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "7"))) {
                SAID.add("start " + helper.onExit().get(20, TimeUnit.SECONDS));
            }
            var before = Leaks.descriptors(); // all is loaded that is loaded once
            RunResult result = UsermodeHelper.run(
                    shell("read word; echo $word; exit 3"),
                    RunOptions.defaults().input("hello\n".getBytes()));
            SAID.add("run " + result.out().trim() + ", " + result.status());
            SAID.add("streams " + streamed());
            SAID.add("gone " + writtenToNobody());
            SAID.add("timeout " + timedOut());
            SAID.add("led nobody " + reached(KillScope.GROUP) + " " + reached(KillScope.SESSION));
            SAID.add("report " + report());
            Leaks.assertNothingLeft(before);
            String text = String.join("\n", SAID) + "\n";
            if (arguments.length > 0) {
                java.nio.file.Files.writeString(Path.of(arguments[0]), text);
            } else {
                System.out.print(text);
            }
        }

        private static int exec(String code, UmhWait wait) {
            return UsermodeHelper.exec(ProbeProgram.doing("exit", code), wait);
        }

        private static int killed(UmhWait wait) {
            return UsermodeHelper.exec(ProbeProgram.doing("kill", "9"), wait);
        }

        private static int missing(UmhWait wait) {
            return UsermodeHelper.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null), wait);
        }

        private static SubprocessInfo shell(String commands) {
            return SubprocessInfo.of(
                    "/bin/sh", new String[] {"sh", "-c", commands}, UsermodeHelper.kernelEnvironment());
        }

        private static int streamed() throws IOException {
            SubprocessInfo info = shell("head -c 100000 /dev/zero")
                    .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1)));
            try (Helper helper = UsermodeHelper.start(info);
                    InputStream out = helper.stdout()) {
                return out.readAllBytes().length;
            }
        }

        /** EPIPE is an answer and never a signal. */
        private static String writtenToNobody() throws Exception {
            SubprocessInfo info = ProbeProgram.doing("exit", "0")
                    .task(Task.defaults().descriptors(Descriptors.none().pipeFromJvm(0)));
            try (Helper helper = UsermodeHelper.start(info)) {
                helper.waitFor();
                helper.stdin().write("x".getBytes(StandardCharsets.US_ASCII));
                helper.stdin().flush();
                return "nobody complained";
            } catch (IOException e) {
                return "ok";
            }
        }

        private static WaitStatus timedOut() throws Exception {
            try {
                return UsermodeHelper.run(ProbeProgram.doing("pause"), Duration.ofMillis(50))
                        .status();
            } catch (HelperTimeoutException e) {
                return e.result().status();
            }
        }

        /** A helper that leads neither; as pid 1's child it is in a session that has no number here. */
        private static boolean reached(KillScope scope) throws IOException {
            try (Helper helper = UsermodeHelper.start(
                    ProbeProgram.doing("pause").task(Task.defaults().session(Session.inherited())))) {
                return helper.kill(scope, Signal.KILL) || !helper.isAlive();
            }
        }

        private static String report() {
            Report report = ProbeProgram.report();
            return "umask " + report.text("status.Umask") + ", cwd " + report.text("cwd") + ", fds " + report.get("fds")
                    + ", SigIgn " + Long.toHexString(report.hex("status.SigIgn")) + ", SigBlk "
                    + Long.toHexString(report.hex("status.SigBlk"));
        }
    }
}
