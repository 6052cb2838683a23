// SPDX-License-Identifier: Apache-2.0

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Cred;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/**
 * Takes a core dump from standard input, as the kernel gives it to {@code |/usr/bin/handler %p %s}. The dump's content is
 * whatever the crashed program was made to hold, so it is read by a helper without any right, never by this process.
 */
public class CoreHandler {
    /** {@code CoreHandler PID SIGNAL FOLDER}. */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[2], "core." + Long.parseLong(arguments[0]) + ".gz");
        SubprocessInfo gzip = SubprocessInfo.of("/bin/gzip", new String[] {"gzip", "-c"}, null)
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeFromJvm(0).pipeToJvm(1))
                        .cred(Cred.defaults()
                                .user("nobody")
                                .capabilities(CapabilitySet.NONE)
                                .noNewPrivs()));
        try (Helper helper = UsermodeHelper.start(gzip);
                OutputStream out = java.nio.file.Files.newOutputStream(file)) {
            Thread feeder = new Thread(() -> feed(System.in, helper.stdin()));
            feeder.start();
            helper.stdout().transferTo(out);
            feeder.join();
            WaitStatus status = helper.waitFor();
            System.out.println("signal " + arguments[1] + ": " + status);
            System.exit(status.success() ? 0 : 1);
        }
    }

    private static void feed(InputStream from, OutputStream to) {
        try (to) {
            from.transferTo(to);
        } catch (java.io.IOException e) {
            System.err.println("the dump was cut short: " + e.getMessage());
        }
    }
}
