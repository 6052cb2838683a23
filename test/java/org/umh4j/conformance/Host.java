// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.Report;

/**
 * The attributes of this JVM and its host that the rules need.
 *
 * @param child the report of an ordinary child
 * @param kthreadd the limits of kthreadd, soft and hard; empty if pid 2 is another process
 */
record Host(Report child, Map<String, Long> kthreadd) {
    private static final Map<String, String> LIMITS =
            Map.of("Max processes", "rlimits.NPROC", "Max pending signals", "rlimits.SIGPENDING");

    static Host inspect(Programs programs) throws IOException, InterruptedException {
        String probe = programs.install("/probe");
        Process child = new ProcessBuilder(probe).inheritIO().start();
        if (child.waitFor() != 0) {
            throw new IOException("the probe ended with " + child.exitValue());
        }
        return new Host(Programs.onlyReport(probe), kthreaddLimits());
    }

    private static Map<String, Long> kthreaddLimits() throws IOException {
        Map<String, Long> limits = new TreeMap<>();
        if (Files.exists(Path.of("/proc/2/comm"))
                && Files.readString(Path.of("/proc/2/comm")).equals("kthreadd\n")) {
            for (String line : Files.readAllLines(Path.of("/proc/2/limits"))) {
                String[] columns = line.split("\\s{2,}");
                if (LIMITS.containsKey(columns[0])) {
                    limits.put(LIMITS.get(columns[0]), Long.parseLong(columns[1]));
                }
            }
        }
        return limits;
    }

    long pid() {
        return ProcessHandle.current().pid();
    }

    boolean isRoot() {
        return child.get("uids_ruid_euid_suid").get(1).asLong() == 0;
    }

    /** The JVM's bounding set, which is a helper's without a policy. */
    CapabilitySet bounding() {
        return new CapabilitySet(child.hex("status.CapBnd"));
    }

    /** Whether the JVM may write to the files of the policy. */
    boolean mayWritePolicy() {
        return has(Capability.CAP_SETPCAP) && has(Capability.CAP_SYS_MODULE);
    }

    /** Whether the JVM has an effective capability, as an ordinary child of root has it too. */
    boolean has(Capability capability) {
        return new CapabilitySet(child.hex("status.CapEff")).contains(capability);
    }
}
