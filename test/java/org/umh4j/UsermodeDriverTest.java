// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.KillScope;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;

/** The states of a user mode driver, the initial state of its process, and the report of its end. */
@ExtendWith(Leaks.class)
@Timeout(60)
final class UsermodeDriverTest {
    private static String line(UsermodeDriver driver) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = driver.pipeFromUmh().stream().read();
                c >= 0 && c != '\n';
                c = driver.pipeFromUmh().stream().read()) {
            line.append((char) c);
        }
        return line.toString();
    }

    private static String all(UsermodeDriver driver) throws IOException {
        return new String(driver.pipeFromUmh().stream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static void say(UsermodeDriver driver, String text) throws IOException {
        driver.pipeToUmh().stream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void assertFails(Errno errno, UmhStage stage, UmhException failure) {
        assertEquals(stage + " " + errno, failure.stage() + " " + failure.errnoName(), failure.getMessage());
    }

    @Test
    void echoDriverReturnsWhatIsWritten() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.fork();
            say(driver, "there and back\n");
            assertEquals("there and back", line(driver));
            driver.pipeToUmh().close();
            assertEquals("", all(driver));
            assertTrue(driver.onExit()
                    .get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .success());
        }
    }

    @Test
    void programComesFromBytesAFileOrAResource() throws Exception {
        Path file = Files.write(ProbeProgram.FOLDER.resolve("driver"), DriverBlobs.probe());
        try (UsermodeDriver bytes = DriverBlobs.doing();
                UsermodeDriver path = UsermodeDriver.load("path", file);
                UsermodeDriver resource =
                        UsermodeDriver.load("resource", UsermodeDriver.class, "internal/linux-x86_64/probe.elf")) {
            Files.delete(file);
            for (UsermodeDriver driver : List.of(bytes, path, resource)) {
                driver.arguments("print", "hello");
                driver.fork();
                assertEquals("hello\n", all(driver));
            }
        }
    }

    @Test
    void loadingTwiceFailsWithEbusy() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
            UmhException failure =
                    assertThrows(UmhException.class, () -> driver.load(new ByteArrayInputStream(DriverBlobs.probe())));
            assertFails(Errno.EBUSY, UmhStage.BLOB, failure);
        }
    }

    @Test
    void forkingARunningDriverFailsWithEbusy() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
            driver.fork();
            long tgid = driver.tgid();
            assertFails(Errno.EBUSY, UmhStage.BLOB, assertThrows(UmhException.class, driver::fork));
            assertEquals(tgid, driver.tgid());
            assertTrue(driver.isRunning());
        }
    }

    @Test
    void unloadingNothingFailsWithEinval() throws Exception {
        UsermodeDriver driver = UsermodeDriver.named("nothing");
        assertFails(Errno.EINVAL, UmhStage.BLOB, assertThrows(UmhException.class, driver::unload));
        assertFails(Errno.EINVAL, UmhStage.BLOB, assertThrows(UmhException.class, driver::fork));
        driver.close();
        assertThrows(IllegalStateException.class, driver::pipeToUmh);
        assertEquals(0, driver.tgid());
    }

    @Test
    void anotherProgramCanBeLoadedAfterUnload() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
            driver.fork();
            long first = driver.tgid();
            driver.unload();
            assertEquals("", DriverBlobs.state(first));
            assertFalse(driver.isLoaded());
            driver.load(new ByteArrayInputStream(DriverBlobs.script("echo second")));
            driver.fork();
            assertEquals("second\n", all(driver));
        }
    }

    @Test
    void driverCanBeForkedAgainAfterItsEnd() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            for (int i = 0; i < 3; i++) {
                driver.fork();
                say(driver, i + "\n");
                assertEquals("" + i, line(driver));
                long tgid = driver.tgid();
                assertTrue(driver.kill());
                assertEquals(
                        9,
                        driver.onExit()
                                .get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS)
                                .signal());
                assertEquals(0, driver.tgid());
                assertEquals("", DriverBlobs.state(tgid));
                assertFalse(driver.kill());
            }
        }
    }

    @Test
    void nameIsTheFirstArgument() throws Exception {
        try (UsermodeDriver driver =
                UsermodeDriver.load("bpfilter_umh", DriverBlobs.probe()).arguments("pause")) {
            driver.fork();
            String commandLine = Files.readString(Path.of("/proc/" + driver.tgid() + "/cmdline"));
            assertEquals("bpfilter_umh\0pause\0", commandLine);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", ".", "..", "nul\0"})
    void nameIsAFilesName(String name) {
        assertThrows(IllegalArgumentException.class, () -> UsermodeDriver.named(name));
    }

    @Test
    void nameIsCutToTheLimitOfTheKernel() throws Exception {
        UsermodeDriver.load("n".repeat(UsermodeDriver.MAX_NAME_BYTES), DriverBlobs.probe())
                .close();
        assertThrows(
                IllegalArgumentException.class,
                () -> UsermodeDriver.named("n".repeat(UsermodeDriver.MAX_NAME_BYTES + 1)));
    }

    @Test
    void onlyThePipesAreOpenAndTheEnvironmentIsEmpty() throws Exception {
        Path report = ProbeProgram.FOLDER.resolve("driver-fds");
        try (UsermodeDriver driver = DriverBlobs.doing("fds", report.toString(), "pause-never")) {
            driver.fork();
            driver.onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            List<String> lines = Files.readAllLines(report);
            assertEquals(2, lines.size(), lines.toString());
            assertTrue(lines.get(0).startsWith("0 pipe:") && lines.get(1).startsWith("1 pipe:"), lines.toString());
        }
        try (UsermodeDriver driver =
                UsermodeDriver.load("env", DriverBlobs.script("tr '\\0' '\\n' < /proc/$$/environ"))) {
            driver.fork();
            assertEquals("", all(driver));
            driver.environment("A=1").onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            driver.fork();
            assertEquals("A=1\n", all(driver));
        }
    }

    @Test
    @RequiresRoot
    void taskHoldsForADriver() throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load(
                        "id",
                        DriverBlobs.script("grep -E '^(Uid|NoNewPrivs|CapEff)' /proc/self/status", "echo error >&2"))
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeToJvm(2))
                        .cred(Cred.defaults()
                                .uid(65534)
                                .gid(65534)
                                .groups(new long[0])
                                .noNewPrivs())
                        .namespaces(NamespaceSetup.defaults().unshare(Namespace.NET)))) {
            driver.fork();
            String status = all(driver);
            assertTrue(status.contains("Uid:\t65534\t65534\t65534\t65534"), status);
            assertTrue(status.contains("CapEff:\t0000000000000000"), status);
            assertTrue(status.contains("NoNewPrivs:\t1"), status);
            assertEquals("error\n", new String(driver.reader(2).stream().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void exitRoutineRunsOnceForEachEnd() throws Exception {
        BlockingQueue<WaitStatus> ends = new LinkedBlockingQueue<>();
        try (UsermodeDriver driver =
                UsermodeDriver.load("probe", DriverBlobs.probe()).atExit(ends::add)) {
            driver.arguments("exit", "3").fork();
            assertEquals(
                    3, ends.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).exitCode());
            driver.arguments("kill", "11").fork();
            assertEquals(
                    11,
                    ends.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).signal());
            driver.arguments("pause").fork();
            new ProcessBuilder("kill", "-15", "" + driver.tgid()).start().waitFor();
            assertEquals(
                    15,
                    ends.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).signal());
            driver.arguments("kill", "19", "exit", "0").fork(); // stopped: not ended
            driver.unload();
            assertEquals(
                    9, ends.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS).signal());
        }
        assertEquals(0, ends.size());
    }

    @Test
    void exitRoutineDoesNotRunAfterAFailedStart() throws Exception {
        BlockingQueue<WaitStatus> ends = new LinkedBlockingQueue<>();
        try (UsermodeDriver driver =
                UsermodeDriver.load("text", "text".getBytes()).atExit(ends::add)) {
            assertFails(Errno.ENOEXEC, UmhStage.EXEC, assertThrows(UmhException.class, driver::fork));
            assertEquals(0, driver.tgid());
            assertThrows(IllegalStateException.class, driver::onExit);
        }
        assertEquals(0, ends.size());
    }

    /** A child of the driver holds both pipes, so that only a check of the process reveals the end. */
    @Test
    void pipesEndWithTheDriverEvenIfOthersHoldThem() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("fork", "pause", "end", "print", "last words", "exit", "0")
                .task(Task.defaults().scope(KillScope.GROUP))) {
            driver.fork();
            assertEquals("last words\n", all(driver));
            driver.onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            IOException failure = assertThrows(IOException.class, () -> say(driver, "anybody?"));
            assertEquals("Broken pipe", failure.getMessage());
        }
    }

    @Test
    void blockedWriterLearnsOfTheEnd() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("fork", "pause", "end", "pause")
                .task(Task.defaults().scope(KillScope.GROUP))) {
            driver.fork();
            BlockingQueue<String> answers = new LinkedBlockingQueue<>();
            Thread writer = new Thread(() -> {
                try {
                    driver.pipeToUmh().stream().write(new byte[1 << 20]);
                } catch (IOException e) {
                    answers.add(e.getMessage());
                }
            });
            writer.start();
            while (writer.getState() == Thread.State.RUNNABLE || writer.getState() == Thread.State.NEW) {
                Thread.onSpinWait();
            }
            driver.kill();
            assertEquals("Broken pipe", answers.poll(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
            writer.join();
        }
    }

    @Test
    void driverOutlivesTheThreadThatForkedIt() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            Thread thread = new Thread(() -> {
                try {
                    driver.fork();
                } catch (UmhException e) {
                    throw new AssertionError(e);
                }
            });
            thread.start();
            thread.join();
            say(driver, "still here\n");
            assertEquals("still here", line(driver));
        }
    }

    private static void unload(UsermodeDriver driver) {
        try {
            driver.unload();
        } catch (UmhException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void callbackOfTheForkCanNotUnload() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")) {
            driver.init((info, cred) -> {
                assertThrows(UmhException.class, driver::fork); // nor fork it
                return cred;
            });
            driver.fork();
            driver.unload();
            driver.load(new ByteArrayInputStream(DriverBlobs.probe()));
            driver.init((info, cred) -> {
                unload(driver);
                return cred;
            });
            assertThrows(IllegalStateException.class, driver::fork);
            driver.init(null).fork();
            assertTrue(driver.isRunning());
        }
    }

    @Test
    void pipesAndDeathSignalCanNotBeRemoved() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("cat")
                .task(Task.defaults()
                        .descriptors(Descriptors.none().devNull(0).devNull(1))
                        .signals(SignalState.defaults().parentDeathSignal(Signal.TERM)))) {
            driver.fork();
            say(driver, "still there\n");
            assertEquals("still there", line(driver));
        }
    }

    @Test
    @RequiresRoot
    void driverMayBePidOneOfANewNamespace() throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load(
                        "init", DriverBlobs.script("echo $$", "read line", "echo $line"))
                .task(Task.defaults().namespaces(NamespaceSetup.defaults().unshare(Namespace.PID)))) {
            driver.fork();
            assertEquals("1", line(driver));
            String status = Files.readString(Path.of("/proc/" + driver.tgid() + "/status"));
            assertTrue(status.contains("NSpid:\t" + driver.tgid() + "\t1\n"), status);
            say(driver, "a line\n");
            assertEquals("a line", line(driver));
            assertTrue(driver.onExit()
                    .get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .success());
        }
    }

    @Test
    @RequiresRoot
    void unprivilegedJvmMayHaveDrivers() throws Exception {
        assertEquals("65534\n", new Jvm().asNobody().run(WhoMain.class).requireSuccess());
    }

    /** Prints the identity that a driver reports. */
    static final class WhoMain {
        public static void main(String[] arguments) throws Exception {
            try (UsermodeDriver driver =
                    UsermodeDriver.load("id", DriverBlobs.script("id -u")).environment("PATH=/usr/bin:/bin")) {
                driver.fork();
                System.out.print(all(driver));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "org.umh4j.allowed.paths=/bin/true, POLICY EPERM", "org.umh4j.allowed.paths=/bin/true:d, driver",
        "org.umh4j.static.path=/bin/echo, print driver", "org.umh4j.static.path=, SETUP ENOENT"
    })
    void pathPolicyHoldsForDrivers(String property, String answer) throws Exception {
        assertEquals(
                answer + "\n",
                new Jvm().option("-D" + property).run(PolicyMain.class).requireSuccess());
    }

    /** Prints what becomes of a driver that would print something else. */
    static final class PolicyMain {
        public static void main(String[] arguments) throws Exception {
            try (UsermodeDriver driver =
                    UsermodeDriver.load("d", DriverBlobs.probe()).arguments("print", "driver")) {
                driver.fork();
                System.out.print(all(driver));
            } catch (UmhException e) {
                System.out.println(e.stage() + " " + e.errnoName());
            }
        }
    }
}
