// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Limits;
import org.umh4j.task.Task;

/**
 * Runs a job in a new cgroup with limits on processes and memory.
 *
 * <p>The job is born in the cgroup, so the limits hold from its first instruction. At the end the whole cgroup is
 * killed, so processes that the job left behind end too, also those in other sessions.
 */
public class JobExecutor {
    /** {@code JobExecutor CGROUP SECONDS SCRIPT}: makes the cgroup and removes it at the end. */
    public static void main(String[] arguments) throws Exception {
        Path group = Files.createDirectory(Path.of(arguments[0]));
        try {
            limit(group, "pids.max", "16");
            limit(group, "memory.max", "64M");
            System.out.println(run(group, Duration.ofSeconds(Long.parseLong(arguments[1])), arguments[2]));
        } finally {
            end(group);
        }
    }

    /** Sets a limit if the parent enables its controller. Without controllers the cgroup still kills the whole job. */
    private static void limit(Path group, String file, String value) throws Exception {
        if (Files.exists(group.resolve(file))) {
            Files.writeString(group.resolve(file), value);
        }
    }

    private static String run(Path group, Duration time, String script) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(
                        "/bin/sh", new String[] {"sh", "-c", script}, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults().limits(Limits.defaults().cgroup(group)));
        try (Helper job = UsermodeHelper.start(info)) {
            Optional<WaitStatus> status = job.waitFor(time);
            return status.map(WaitStatus::toString).orElse("took too long");
        }
    }

    /** Kills all processes of the cgroup by one write, and removes its directory when the last one has ended. */
    private static void end(Path group) throws Exception {
        Files.writeString(group.resolve("cgroup.kill"), "1");
        while (Files.readString(group.resolve("cgroup.events")).contains("populated 1")) {
            Thread.sleep(5);
        }
        Files.delete(group);
        System.out.println("nothing is left");
    }
}
