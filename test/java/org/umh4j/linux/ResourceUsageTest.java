// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** The resource usage of a helper, compared with what the kernel reports to the helper itself. */
@ExtendWith(Leaks.class)
final class ResourceUsageTest {
    /** Spends time in both modes, touches memory, sleeps; then prints what getrusage(2) knows, and ends. */
    private static final String SPENDER = """
            my ($user, $system);
            do {
                my $sum = 0;
                $sum += $_ for 1 .. 100_000;
                stat '/' for 1 .. 5_000;
                ($user, $system) = times;
            } until $user >= 0.2 && $system >= 0.02;
            my $memory = 'x' x (32 << 20);
            select undef, undef, undef, 0.01 for 1 .. 5;
            my $usage = "\\0" x 144;
            syscall 98, 0, $usage;
            my @fields = unpack 'q18', $usage;
            print "@fields\\n";
            """;

    private static RunResult spend() throws Exception {
        return UsermodeHelper.run(
                SubprocessInfo.of("/usr/bin/perl", new String[] {"perl", "-e", SPENDER}, null), Duration.ofSeconds(60));
    }

    @Test
    void usageIsAtLeastThatOfGetrusageInTheHelper() throws Exception {
        RunResult result = spend().requireSuccess();
        // struct rusage: two times of two fields, then fourteen counters.
        long[] own = Arrays.stream(result.stdoutText().trim().split(" "))
                .mapToLong(Long::parseLong)
                .toArray();
        ResourceUsage usage = result.usage().orElseThrow();
        assertAbout(own[0] * 1_000_000 + own[1], usage.userTime());
        assertAbout(own[2] * 1_000_000 + own[3], usage.systemTime());
        assertAbout(own[8], usage.minorFaults());
        assertAbout(own[9], usage.majorFaults());
        assertAbout(own[11], usage.inputBlocks());
        assertAbout(own[12], usage.outputBlocks());
        assertAbout(own[16], usage.voluntaryContextSwitches());
        assertAbout(own[17], usage.involuntaryContextSwitches());
        assertTrue(usage.minorFaults() > (32 << 20) / 4096 / 512, "it touched memory, in pages of whatever size");
        assertTrue(usage.voluntaryContextSwitches() >= 5, "it slept five times");
        assertTrue(usage.userTime().compareTo(Duration.ofMillis(200)) >= 0);
    }

    /** No less than before its end, and that took no more than an end does on a busy machine. */
    private static void assertAbout(long micros, Duration time) {
        Duration own = Duration.ofNanos(micros * 1_000);
        assertTrue(time.compareTo(own.minusMillis(20)) >= 0, () -> time + " is less than " + own);
        assertTrue(time.compareTo(own.plusMillis(500)) <= 0, () -> time + " is much more than " + own);
    }

    private static void assertAbout(long own, long count) {
        assertTrue(count >= own && count < own + 2_000, () -> count + " is not about " + own);
    }

    @Test
    void usageOfTheJvmIsNotCounted() throws Exception {
        byte[] heap = new byte[64 << 20]; // of which a child that counted its parent's would have the faults
        Arrays.fill(heap, (byte) 1);
        try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "" + heap[17]))) {
            assertEquals(1, helper.waitFor().exitCode());
            ResourceUsage usage = helper.usage().orElseThrow();
            assertTrue(usage.userTime().plus(usage.systemTime()).compareTo(Duration.ofSeconds(1)) < 0, usage::toString);
            assertTrue(usage.minorFaults() > 0 && usage.minorFaults() < 1_000, usage::toString);
        }
    }

    /** The kernel's ru_maxrss would be the JVM's: it is the one field of those that programs set which is not there. */
    @Test
    void peakMemoryIsNotReported() {
        assertFalse(Stream.of(ResourceUsage.class.getRecordComponents())
                .anyMatch(field -> field.getName().matches("(?i).*(rss|memory|peak).*")));
    }

    @Test
    void usageOfReapedChildrenCounts() throws Exception {
        String script = "perl -e 'do { $x++ for 1 .. 100_000 } until (times)[0] >= 0.2'";
        try (Helper helper = UsermodeHelper.start(org.umh4j.support.Shell.script(script + "; exit 0"))) {
            helper.waitFor();
            assertTrue(helper.usage().orElseThrow().userTime().compareTo(Duration.ofMillis(150)) > 0);
        }
    }

    @Test
    void usageIsEmptyBeforeTheEndAndConstantAfter() throws Exception {
        Helper helper = UsermodeHelper.start(ProbeProgram.doing("cat")
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))));
        assertEquals(Optional.empty(), helper.usage());
        helper.stdin().write("x".getBytes(StandardCharsets.US_ASCII));
        helper.stdin().close();
        helper.waitFor();
        ResourceUsage usage = helper.usage().orElseThrow();
        helper.close();
        assertEquals(usage, helper.usage().orElseThrow());
    }
}
