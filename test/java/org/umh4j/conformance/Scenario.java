// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.umh4j.SubprocessInfo;
import org.umh4j.linux.Rlimit;
import org.umh4j.support.Report;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Limits;
import org.umh4j.task.Sched;

/** One helper that a kernel started, and the call that starts the same helper by umh4j. */
public record Scenario(String name, JsonNode record) {
    public Policy policy() {
        return Policy.of(name);
    }

    public Report report() {
        return new Report(record);
    }

    /** The path that the kernel executed. */
    String path() {
        return record.path("exe").asText();
    }

    boolean isSetUid() {
        return path().endsWith("/suid");
    }

    /** The call: the kernel's arguments and environment, and this helper's special attributes. */
    SubprocessInfo call(Programs programs) throws IOException {
        SubprocessInfo info =
                SubprocessInfo.of(programs.install(path()), strings(record.path("argv")), strings(record.path("envp")));
        if (name.endsWith(".core")) {
            // do_coredump(): the core comes through a pipe, and a helper that crashes must not call another.
            info.task(info.task()
                    .descriptors(Descriptors.none().pipeFromJvm(0))
                    .limits(Limits.defaults().rlimit(Rlimit.CORE, 1, 1)));
        }
        if (name.startsWith("kthread_odd")) {
            asAnOddKthreadd(info);
        }
        return info;
    }

    /** In the recording kthreadd was changed and its children inherited that. Here the call requests the attributes. */
    private static void asAnOddKthreadd(SubprocessInfo info) {
        info.task(info.task()
                .limits(Limits.defaults()
                        .rlimit(Rlimit.NOFILE, 77, 77)
                        .rlimit(Rlimit.CORE, 0, 0)
                        .oomScoreAdj(123))
                .sched(Sched.defaults()
                        .batch()
                        .ioprio(Sched.IoClass.BEST_EFFORT, 6)
                        .timerSlack(Duration.ofNanos(99_999))));
    }

    private static String[] strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(string -> strings.add(string.asText()));
        return strings.toArray(String[]::new);
    }

    @Override
    public String toString() {
        return name;
    }
}
