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
 * Runs a job in a cgroup of its own. It is born there, so not an instruction of it goes unlimited; and whatever it left
 * behind ends with the group, in sessions of its own or not.
 */
public class JobExecutor {
    /** {@code JobExecutor CGROUP SECONDS SCRIPT}: the folder of a cgroup to be made. */
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

    /** Where the parent group hands the controller on; else the group is there for its end alone. */
    private static void limit(Path group, String file, String value) throws Exception {
        if (Files.exists(group.resolve(file))) {
            Files.writeString(group.resolve(file), value);
        }
    }

    private static String run(Path group, Duration time, String script) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(
                        "/bin/sh", new String[] {"sh", "-c", script}, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults().limits(Limits.defaults().cgroup(group.toString())));
        try (Helper job = UsermodeHelper.start(info)) {
            Optional<WaitStatus> status = job.waitFor(time);
            return status.map(WaitStatus::toString).orElse("took too long");
        }
    }

    /** One write kills all that is in it; the folder can be removed when the last one is gone. */
    private static void end(Path group) throws Exception {
        Files.writeString(group.resolve("cgroup.kill"), "1");
        while (Files.readString(group.resolve("cgroup.events")).contains("populated 1")) {
            Thread.sleep(5);
        }
        Files.delete(group);
        System.out.println("nothing is left");
    }
}
