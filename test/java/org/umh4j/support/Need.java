// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.opentest4j.TestAbortedException;
import org.umh4j.task.Sandbox;

/**
 * A property of the host that a test needs and that not every host has. This is the only place where a test is skipped:
 * by {@link Requires} and {@link RequiresRoot} before it runs, by {@link #orSkip()} and {@link #missing()} within.
 * {@code make test} counts the skipped tests by these words.
 */
public enum Need {
    ROOT("root", Need::isRoot),
    VIRTUAL_THREADS(
            "JDK 21 or newer, for virtual threads", () -> Runtime.version().feature() >= 21),
    DENIED_NATIVE_ACCESS(
            "JDK 24 or newer, which can deny native access",
            () -> Runtime.version().feature() >= 24),
    LOWER_OOM_SCORE("CAP_SYS_RESOURCE, for a lower oom_score_adj", Need::isKnownToTheTest),
    AMD64("x86_64", () -> System.getProperty("os.arch").equals("amd64")),
    CGROUP("a cgroup2 in which a directory can be made", Need::hasCgroup),
    FREEZER("a cgroup freezer of version 1", Need::isKnownToTheTest),
    PIDS_CONTROLLER("a pids controller that can be written", Need::isKnownToTheTest),
    MEMORY_CONTROLLER("a memory controller that can be written", Need::isKnownToTheTest),
    LANDLOCK("a kernel with landlock", () -> Sandbox.landlockAbi() > 0),
    GROUP_SIGNALS("Linux 6.9, for signals to a group by its leader's pidfd", Need::hasGroupSignals),
    KTHREADD("the initial pid namespace, for the limits of kthreadd", Need::seesKthreadd),
    CORE_FILES("a core_pattern that makes plain files", Need::isKnownToTheTest),
    SET_USER_ID("a file system that is not mounted nosuid", Need::isKnownToTheTest),
    USER_NAMESPACES("a host that lets users make user namespaces", Need::isKnownToTheTest),
    SECCOMP_COMPILER("python3-seccomp", () -> succeeds("/usr/bin/python3", "-c", "import seccomp")),
    ZSH("zsh", () -> hasTool("zsh"));

    private final String what;
    private final BooleanSupplier probe;
    private Boolean met;

    Need(String what, BooleanSupplier probe) {
        this.what = what;
        this.probe = probe;
    }

    /** The words that are counted. */
    public String reason() {
        return "needs " + what;
    }

    public synchronized boolean isMet() {
        if (met == null) {
            met = probe.getAsBoolean();
        }
        return met;
    }

    /** Skips the running test where this host lacks it. */
    public void orSkip() {
        if (!isMet()) {
            missing();
        }
    }

    /** Skips the running test, which has found out. */
    public <T> T missing() {
        throw new TestAbortedException(reason());
    }

    private static boolean isKnownToTheTest() {
        return true;
    }

    private static boolean isRoot() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasCgroup() {
        try (OwnCgroup cgroup = OwnCgroup.tryToMake("need")) {
            return cgroup != null && Files.exists(cgroup.folder().resolve("cgroup.kill"));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasGroupSignals() {
        String[] version = System.getProperty("os.version").split("[^0-9]+");
        int major = Integer.parseInt(version[0]);
        return major > 6 || major == 6 && Integer.parseInt(version[1]) >= 9;
    }

    private static boolean seesKthreadd() {
        try {
            return Files.readString(Path.of("/proc/2/comm")).equals("kthreadd\n");
        } catch (IOException e) {
            return false;
        }
    }

    /** Whether a command is found as a shell finds it. */
    static boolean hasTool(String name) {
        for (String folder :
                System.getenv().getOrDefault("PATH", "/usr/bin:/bin").split(":")) {
            if (Files.isExecutable(Path.of(folder, name))) {
                return true;
            }
        }
        return false;
    }

    private static boolean succeeds(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (InputStream output = process.getInputStream()) {
                output.readAllBytes();
            }
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
