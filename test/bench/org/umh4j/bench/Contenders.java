// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import com.zaxxer.nuprocess.NuAbstractProcessHandler;
import com.zaxxer.nuprocess.NuProcessBuilder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.task.Cred;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;

/** Everybody who starts a program; the first is what the others are measured by. */
final class Contenders {
    static final String BASE = "C posix_spawn";
    static final String UMH4J = "umh4j";

    /** ProcessBuilder reads it once in a JVM. */
    static final String MECHANISM = System.getProperty("jdk.lang.Process.launchMechanism", "");

    /** One instruction of classic BPF: SECCOMP_RET_ALLOW. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    private Contenders() {}

    /** C and umh4j. */
    static List<Contender> near(String... argv) {
        byte[] strings = (String.join("\0", argv) + "\0").getBytes(StandardCharsets.ISO_8859_1);
        return new ArrayList<>(List.of(
                new Contender(BASE, () -> Peers.posixSpawn(strings)),
                new Contender("C vfork+exec", () -> Peers.vforkExec(strings)),
                umh4j(argv)));
    }

    /** All of them. */
    static List<Contender> all(String... argv) {
        List<Contender> all = near(argv);
        byte[] strings = (String.join("\0", argv) + "\0").getBytes(StandardCharsets.ISO_8859_1);
        all.add(new Contender("umh4j, all of Cred", () -> UsermodeHelper.exec(confined(argv), UmhWait.PROC)));
        all.add(new Contender("C fork+exec", 10, () -> Peers.forkExec(strings)));
        all.add(processBuilder(argv));
        all.add(nuProcess(argv));
        return all;
    }

    static Contender umh4j(String... argv) {
        return new Contender(UMH4J, () -> UsermodeHelper.exec(info(argv), UmhWait.PROC));
    }

    static SubprocessInfo info(String... argv) {
        return SubprocessInfo.of(argv[0], argv, new String[0]);
    }

    /** Another user with two capabilities and a filter. */
    private static SubprocessInfo confined(String... argv) {
        CapabilitySet one = CapabilitySet.of(Capability.CAP_NET_RAW);
        Cred cred = Cred.defaults()
                .uid(65_534)
                .gid(65_534)
                .groups(65_534, 100)
                .bounding(CapabilitySet.of(Capability.CAP_NET_RAW, Capability.CAP_KILL))
                .permitted(one)
                .inheritable(one)
                .ambient(one)
                .noNewPrivs();
        return info(argv)
                .task(Task.defaults().cred(cred).sandbox(Sandbox.defaults().seccomp(ALLOW_ALL)));
    }

    static Contender processBuilder(String... argv) {
        ProcessBuilder builder = new ProcessBuilder(argv);
        builder.environment().clear();
        String name = MECHANISM.isEmpty() ? "ProcessBuilder" : "ProcessBuilder, " + MECHANISM;
        return new Contender(name, 10, () -> {
            Process process = builder.start();
            int status = process.waitFor();
            process.getInputStream().close();
            process.getErrorStream().close();
            process.getOutputStream().close();
            return status;
        });
    }

    private static Contender nuProcess(String... argv) {
        return new Contender(
                "NuProcess",
                10,
                () -> new NuProcessBuilder(new NuAbstractProcessHandler() {}, Arrays.asList(argv))
                        .start()
                        .waitFor(0, TimeUnit.SECONDS));
    }
}
