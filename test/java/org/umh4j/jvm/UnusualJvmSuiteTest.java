// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;

/** Tests with live helpers, repeated in a JVM that is pid 1, ignores signals and has no standard descriptors. */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
final class UnusualJvmSuiteTest {
    private static final List<String> CLASSES = List.of(
            "org.umh4j.HelperProcessTest",
            "org.umh4j.HelperProcessStreamsTest",
            "org.umh4j.HelperQueueTest",
            "org.umh4j.HelperRunTest",
            "org.umh4j.PipelineTest",
            "org.umh4j.ProcessStreamsTest",
            "org.umh4j.SessionKillTest",
            "org.umh4j.jvm.ConcurrentProcessBuilderTest",
            "org.umh4j.jvm.VirtualThreadStreamsTest",
            "org.umh4j.linux.ResourceUsageTest",
            "org.umh4j.linux.WaitStatusTest",
            "org.umh4j.scale.ConcurrentWaitersTest",
            "org.umh4j.scale.TenThousandHelpersTest",
            "org.umh4j.task.RedirectionTest");

    @Test
    @RequiresRoot
    void testsPassAsPidOneWithoutStandardDescriptors() throws Exception {
        Path output = Files.createTempFile("odd", ".txt");
        Jvm jvm = new Jvm()
                .limit(Duration.ofSeconds(580))
                .option("-Xrs")
                .under("/bin/sh", "-c", "exec \"$0\" \"$@\" <&- >&- 2>&-")
                .under("env", "--ignore-signal=CHLD,PIPE")
                .under("unshare", "--pid", "--fork", "--mount-proc");
        int status = jvm.run(SuiteMain.class, output.toString()).exitCode();
        assertEquals("", Files.readString(output));
        assertEquals(0, status);
        Files.delete(output);
    }

    /** Runs the classes and writes failures to a file, since there is no standard output. */
    static final class SuiteMain {
        public static void main(String[] arguments) throws Exception {
            LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(CLASSES.stream().map(SuiteMain::selector).toList())
                    .build();
            SummaryGeneratingListener listener = new SummaryGeneratingListener();
            LauncherFactory.create().execute(request, listener);
            TestExecutionSummary summary = listener.getSummary();
            try (PrintWriter out = new PrintWriter(arguments[0])) {
                if (ProcessHandle.current().pid() != 1) {
                    out.println("not pid 1");
                }
                if (summary.getTotalFailureCount() > 0 || summary.getTestsSucceededCount() < CLASSES.size()) {
                    summary.printTo(out);
                    summary.printFailuresTo(out, 50);
                }
            }
            System.exit(0);
        }

        private static ClassSelector selector(String tests) {
            return selectClass(tests);
        }
    }
}
