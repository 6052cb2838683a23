// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.internal.Blob;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.ProbeProgram;

/** No driver survives its JVM, whatever becomes of that and whatever the driver does about signals. */
@Timeout(120)
final class DriverDiesWithJvmTest {
    @ParameterizedTest
    @ValueSource(strings = {"kill", "halt", "exit", "segv", "fault", "abort", "stop-then-kill"})
    void noDriverSurvivesItsJvm(String end) throws Exception {
        List<String> command = new Jvm()
                .option("-XX:ErrorFile=/dev/null", "-XX:-CreateCoredumpOnCrash")
                .command(DriversMain.class);
        Process jvm = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(jvm.getInputStream()))) {
            List<Long> drivers = new ArrayList<>();
            for (String pid : out.readLine().split(" ")) {
                drivers.add(Long.valueOf(pid));
            }
            assertEquals(DriversMain.DRIVERS, drivers.size());
            for (long driver : drivers) {
                assertTrue(!DriverBlobs.state(driver).isEmpty(), "not alive before");
            }
            end(jvm, end);
            for (long driver : drivers) {
                assertTrue(DriverBlobs.ends(driver), () -> "driver " + driver + " survives " + end);
            }
            assertTrue(jvm.waitFor(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
        } finally {
            jvm.destroyForcibly();
        }
    }

    /** The launcher waits until the JVM has noted the pid; if the JVM is killed before, the driver never begins. */
    @Test
    void heldDriverNeverRunsWithoutTheJvm() throws Exception {
        Path mark = Files.createTempDirectory(ProbeProgram.FOLDER, "held").resolve("mark");
        long pid = Long.parseLong(
                new Jvm().run(HeldMain.class, mark.toString()).out().trim());
        assertTrue(DriverBlobs.ends(pid));
        assertTrue(Files.notExists(mark));
    }

    /** Ends while the driver is on its way. */
    static final class HeldMain {
        public static void main(String[] arguments) throws Exception {
            Blob blob = Blob.load(
                            "held".getBytes(), new ByteArrayInputStream(DriverBlobs.script("echo > " + arguments[0])))
                    .blob();
            SubprocessInfo info =
                    SubprocessInfo.of(blob, "held", new byte[][] {"held".getBytes(US_ASCII)}, new byte[0][]);
            info.onCreated(pid -> {
                System.out.println(pid);
                Runtime.getRuntime().halt(0);
            });
            UsermodeHelper.start(info);
        }
    }

    private static void end(Process jvm, String how) throws Exception {
        if (how.equals("stop-then-kill")) {
            new ProcessBuilder("kill", "-STOP", "" + jvm.pid()).start().waitFor();
        }
        if (how.endsWith("kill")) {
            new ProcessBuilder("kill", "-KILL", "" + jvm.pid()).start().waitFor();
            return;
        }
        String library = how.equals("fault")
                ? NativeProgram.library("crash").toString()
                : how.equals("abort")
                        ? NativeProgram.library("crash", "-DABORT").toString()
                        : "";
        jvm.getOutputStream().write((how + " " + library + "\n").getBytes());
        jvm.getOutputStream().flush();
    }

    /** Has drivers of all kinds, forked by threads of all kinds, and ends in the way of its argument. */
    static final class DriversMain {
        static final int DRIVERS = 4;

        public static void main(String[] arguments) throws Exception {
            List<UsermodeDriver> drivers = List.of(
                    DriverBlobs.doing("cat"),
                    DriverBlobs.doing("ignore", "15", "ignore", "1", "block", "2", "pause"),
                    DriverBlobs.doing("kill", "19", "pause"), // stopped
                    DriverBlobs.doing("pause"));
            StringBuilder pids = new StringBuilder();
            for (UsermodeDriver driver : drivers) {
                Thread thread = new Thread(() -> fork(driver));
                thread.start();
                thread.join();
                pids.append(driver.tgid()).append(' ');
            }
            System.out.println(pids);
            String[] how = new BufferedReader(new InputStreamReader(System.in))
                    .readLine()
                    .split(" ");
            switch (how[0]) {
                case "halt" -> Runtime.getRuntime().halt(1);
                case "exit" -> System.exit(1);
                case "segv" -> signal();
                case "fault", "abort" -> System.load(how[1]);
                default -> throw new IllegalArgumentException(how[0]);
            }
        }

        private static void fork(UsermodeDriver driver) {
            try {
                driver.fork();
            } catch (UmhException e) {
                throw new AssertionError(e);
            }
        }

        /** Ends the JVM by SIGSEGV. */
        private static void signal() throws Exception {
            String self = "" + ProcessHandle.current().pid();
            new ProcessBuilder("kill", "-SEGV", self).start().waitFor();
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
