// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.examples.fib.FibControl;
import org.umh4j.examples.fib.FibControl.Route;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Leaks;
import org.umh4j.support.RequiresRoot;

/** The example of a confined driver that queries the kernel's routing table. */
@Timeout(120)
@RequiresRoot
final class DriverExampleTest {
    private static final List<Route> ROUTES =
            List.of(new Route("10.0.0.0/8", 7), new Route("10.1.0.0/16", 9), new Route("10.1.2.3/32", 11));
    private static final List<String> ADDRESSES = List.of("10.1.2.3", "10.1.9.9", "10.200.0.1", "192.0.2.1");
    private static final int[] TAGS = {11, 9, 7, 0};

    @TempDir
    private static Path out;

    @BeforeAll
    static void driverIsBuilt() throws Exception {
        make("driver");
    }

    private static void make(String target) throws Exception {
        Process make = new ProcessBuilder("make", "-C", "examples/fib", "OUT=" + out, target)
                .redirectErrorStream(true)
                .start();
        String text = new String(make.getInputStream().readAllBytes());
        assertEquals(0, make.waitFor(), text);
    }

    private static FibControl start() throws IOException {
        return FibControl.start(out.resolve("fib.elf"));
    }

    @Test
    void driverReturnsTheRouteOfAnAddress() throws Exception {
        try (FibControl fib = start()) {
            assertArrayEquals(TAGS, fib.evaluate(ROUTES, ADDRESSES));
            assertArrayEquals(
                    new int[] {0, 0, 0, 0}, fib.evaluate(List.of(), ADDRESSES), "nothing is left of a request");
            assertTrue(fib.driver().isRunning());
        }
    }

    @Test
    void driverReportsAMissingRoute() throws Exception {
        try (FibControl fib = start()) {
            IOException failure = assertThrows(
                    IOException.class,
                    () -> fib.evaluate(List.of(ROUTES.get(0), new Route("10.0.0.1/8", 1)), ADDRESSES));
            assertEquals("Route[prefix=10.0.0.1/8, tag=1]: errno " + Errno.EINVAL.number(), failure.getMessage());
            assertArrayEquals(TAGS, fib.evaluate(ROUTES, ADDRESSES));
        }
    }

    @Test
    void driverIsConfined() throws Exception {
        try (FibControl fib = start()) {
            Path proc = Path.of("/proc/" + fib.driver().tgid());
            Map<String, String> status = new TreeMap<>();
            for (String line : Files.readAllLines(proc.resolve("status"))) {
                String[] parts = line.split(":\t", 2);
                status.put(parts[0], parts[1]);
            }
            assertEquals("61995\t61995\t61995\t61995", status.get("Uid"));
            assertEquals("", status.get("Groups").trim());
            for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
                assertEquals("0000000000001000", status.get(set), set);
            }
            assertEquals("1", status.get("NoNewPrivs"));
            assertEquals("2", status.get("Seccomp"));
            assertTrue(!Files.readSymbolicLink(proc.resolve("ns/net"))
                    .equals(Files.readSymbolicLink(Path.of("/proc/self/ns/net"))));
        }
    }

    /** A shell opens its libraries, which the driver has not. */
    @Test
    void unusedSyscallsAreFiltered() throws Exception {
        try (FibControl fib = FibControl.start(Files.write(out.resolve("other"), DriverBlobs.script("echo")))) {
            WaitStatus status = fib.driver().onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertEquals(Signal.SYS.number(), status.signal());
        }
    }

    @Test
    void replyArrivesAlthoughTheDriverIsKilled() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        try (FibControl fib = start()) {
            for (int i = 0; i < 3; i++) {
                long tgid = fib.driver().tgid();
                fib.driver().kill(Signal.STOP); // the request is in its pipe, or begun, and gets no reply
                CompletableFuture<int[]> answer = CompletableFuture.supplyAsync(() -> evaluate(fib));
                while (!isAsked(tgid)) {
                    Thread.onSpinWait();
                }
                fib.driver().kill();
                assertArrayEquals(TAGS, answer.get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS));
                assertTrue(fib.driver().tgid() != tgid);
            }
        }
        Leaks.assertNothingLeft(before);
    }

    private static int[] evaluate(FibControl fib) {
        try {
            return fib.evaluate(ROUTES, ADDRESSES);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Whether something is in the pipe that the driver reads at descriptor 0. */
    private static boolean isAsked(long tgid) throws IOException {
        try (var pipe = new java.io.FileInputStream("/proc/" + tgid + "/fd/0")) {
            return pipe.available() > 0;
        }
    }

    @Test
    void programPassesTheSanitizers() throws Exception {
        make("check");
    }
}
