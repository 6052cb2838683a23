// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.task.Cred;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Task;

/** Configures a new network namespace, as an unprivileged user with CAP_NET_ADMIN and no other capability. */
public class NetworkHelper {
    private static final String SCRIPT = "ip link set lo up && ip -brief link show lo && grep CapEff /proc/self/status";

    /** Brings the loopback up and prints its state. */
    public static void main(String[] arguments) throws Exception {
        SubprocessInfo info = SubprocessInfo.of(
                        "/bin/sh", new String[] {"sh", "-c", SCRIPT}, UsermodeHelper.kernelEnvironment())
                .task(Task.defaults()
                        .namespaces(NamespaceSetup.defaults().unshare(Namespace.NET))
                        .cred(Cred.defaults()
                                .user("nobody")
                                .capabilities(CapabilitySet.of(Capability.CAP_NET_ADMIN))
                                .noNewPrivs()));
        RunResult result = UsermodeHelper.run(info, Duration.ofSeconds(20));
        System.out.print(result.stdoutText());
        System.err.print(result.stderrText());
        System.exit(result.status().success() ? 0 : 1);
    }
}
