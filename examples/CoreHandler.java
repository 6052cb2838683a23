// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
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
 * Compresses a core dump, as the handler of a {@code core_pattern} such as {@code |/usr/bin/handler %p %s}.
 *
 * <p>The kernel writes the dump to standard input. An attacker may control its content, so a helper without any
 * capability compresses it, and this process only copies bytes.
 */
public class CoreHandler {
    /** {@code CoreHandler PID SIGNAL DIRECTORY}: writes {@code DIRECTORY/core.PID.gz}. */
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
                OutputStream out = Files.newOutputStream(file)) {
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
        } catch (IOException e) {
            System.err.println("the dump is incomplete: " + e.getMessage());
        }
    }
}
