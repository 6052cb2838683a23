// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.io.File;

/** The kinds of {@code namespaces(7)}. */
public enum Namespace {
    /** Mounts. What a helper with a new one mounts does not show outside. */
    MOUNT("mnt", 0x0002_0000),
    /** The cgroup that is shown as the root one. */
    CGROUP("cgroup", 0x0200_0000),
    /** Host and domain name. */
    UTS("uts", 0x0400_0000),
    /** System V and POSIX message queues, semaphores, shared memory. */
    IPC("ipc", 0x0800_0000),
    /** Users and capabilities. */
    USER("user", 0x1000_0000),
    /** Process ids. */
    PID("pid", 0x2000_0000),
    /** Network interfaces, addresses, ports, routes, firewall. */
    NET("net", 0x4000_0000),
    /** Offsets of the monotonic and boot clocks. */
    TIME("time", 0x0000_0080);

    private final String procName;
    private final int cloneFlag;

    Namespace(String procName, int cloneFlag) {
        this.procName = procName;
        this.cloneFlag = cloneFlag;
    }

    /** Its name in {@code /proc/PID/ns}. */
    public String procName() {
        return procName;
    }

    /** Its {@code CLONE_NEW*} flag. */
    public int cloneFlag() {
        return cloneFlag;
    }

    /** Whether this kernel has it, as {@code /proc} shows. Time namespaces are an option of the kernel's build. */
    public boolean isSupported() {
        return new File("/proc/self/ns/" + procName).exists();
    }

    /**
     * A kind by its name in /proc, or by the usual other one: {@code mnt} and {@code mount} are the same.
     *
     * @throws IllegalArgumentException if there is no such kind
     */
    public static Namespace of(String name) {
        for (Namespace namespace : values()) {
            if (namespace.procName.equalsIgnoreCase(name) || namespace.name().equalsIgnoreCase(name)) {
                return namespace;
            }
        }
        throw new IllegalArgumentException(
                "no namespace '" + name + "'; there are mount, uts, ipc, net, pid, cgroup, time, user");
    }
}
