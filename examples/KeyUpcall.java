// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.Arrays;
import org.umh4j.HelperFailedException;
import org.umh4j.RunOptions;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.task.Cred;
import org.umh4j.task.Task;

/**
 * Requests a secret from a program, with the arguments that the kernel gives to /sbin/request-key: {@code create ID UID
 * GID DESCRIPTION}.
 *
 * <p>The program prints the secret and exits with 0. Any other end is a refusal, and its output is discarded.
 */
public class KeyUpcall {
    /** {@code KeyUpcall PROGRAM DESCRIPTION}. */
    public static void main(String[] arguments) throws Exception {
        String[] argv = {arguments[0], "create", "1", "0", "0", arguments[1]};
        SubprocessInfo info = SubprocessInfo.of(arguments[0], argv, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults()
                        .cred(Cred.defaults()
                                .user("nobody")
                                .capabilities(CapabilitySet.NONE)
                                .noNewPrivs()));
        try {
            byte[] secret = UsermodeHelper.run(info, RunOptions.defaults().timeout(Duration.ofSeconds(20)))
                    .requireSuccess()
                    .stdout();
            System.out.println("a secret of " + secret.length + " bytes");
            Arrays.fill(secret, (byte) 0);
        } catch (HelperFailedException e) {
            System.out.println("refused: " + e.result().status());
            System.exit(1);
        } catch (UmhException e) {
            System.out.println("not started: " + e.stage() + " " + e.errnoName());
            System.exit(2);
        }
    }
}
