// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.io.File;

/** The kinds of namespaces, as in {@code namespaces(7)}. */
public enum Namespace {
    /** Mounts. Processes in other mount namespaces do not see a mount of a helper with a new one. */
    MOUNT("mnt", 0x0002_0000),
    /** The root of the cgroup paths in {@code /proc/PID/cgroup}. */
    CGROUP("cgroup", 0x0200_0000),
    /** Host name and NIS domain name. */
    UTS("uts", 0x0400_0000),
    /** System V IPC objects and POSIX message queues. */
    IPC("ipc", 0x0800_0000),
    /** User and group ids, and capabilities. */
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

    /** Returns the file name in {@code /proc/PID/ns}, such as {@code mnt}. */
    public String procName() {
        return procName;
    }

    /** Returns the {@code CLONE_NEW*} flag. */
    public int cloneFlag() {
        return cloneFlag;
    }

    /**
     * Returns whether {@code /proc/self/ns} has a file for it. Time namespaces (since Linux 5.6) are a kernel build
     * option.
     */
    public boolean isSupported() {
        return new File("/proc/self/ns/" + procName).exists();
    }

    /**
     * Returns the kind with this constant's name or name in {@code /proc}: {@code mount} and {@code mnt} are the same.
     * Case does not matter.
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
