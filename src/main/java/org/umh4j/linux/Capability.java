// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The capabilities of {@code capabilities(7)}, in the order of their numbers.
 *
 * <p>The list is complete for Linux 6.18. A later kernel may have more; {@link CapabilitySet} can hold all of them.
 *
 * @implSpec {@code include/uapi/linux/capability.h}, Linux 6.18
 */
public enum Capability {
    /** Permits changing the owner and group of any file. */
    CAP_CHOWN,
    /** Bypasses the permission checks for reading, writing and executing files. */
    CAP_DAC_OVERRIDE,
    /** Bypasses the permission checks for reading files and for searching directories. */
    CAP_DAC_READ_SEARCH,
    /** Permits the operations of a file's owner on any file: changing mode, times and attributes. */
    CAP_FOWNER,
    /** Keeps the set-user-ID and set-group-ID bits of a file that is modified. */
    CAP_FSETID,
    /** Permits signals to processes of any user. */
    CAP_KILL,
    /** Permits any gid and any supplementary groups. */
    CAP_SETGID,
    /** Permits any uid. */
    CAP_SETUID,
    /**
     * Permits drops from the bounding set, changes of securebits, and additions from the bounding to the inheritable
     * set.
     */
    CAP_SETPCAP,
    /** Permits changes of the immutable and append-only attributes of files. */
    CAP_LINUX_IMMUTABLE,
    /** Permits binding a socket to a port below 1024. */
    CAP_NET_BIND_SERVICE,
    /** Permits broadcasts. No kernel code checks it. */
    CAP_NET_BROADCAST,
    /** Permits configuring interfaces, routes, packet filters and the rest of a network namespace. */
    CAP_NET_ADMIN,
    /** Permits raw and packet sockets. */
    CAP_NET_RAW,
    /** Permits locking memory without a limit. */
    CAP_IPC_LOCK,
    /** Bypasses the permission checks of System V IPC objects. */
    CAP_IPC_OWNER,
    /** Permits loading and unloading kernel modules, and writing {@code kernel.usermodehelper.*}. */
    CAP_SYS_MODULE,
    /** Permits direct access to I/O ports, physical memory and devices. */
    CAP_SYS_RAWIO,
    /** Permits {@code chroot(2)}, and joining a mount namespace. */
    CAP_SYS_CHROOT,
    /** Permits tracing and inspecting processes of any user. */
    CAP_SYS_PTRACE,
    /** Permits turning process accounting on and off. */
    CAP_SYS_PACCT,
    /** Permits mounting, creating and joining namespaces, and many other operations. Nearly equal to root. */
    CAP_SYS_ADMIN,
    /** Permits rebooting, and loading another kernel. */
    CAP_SYS_BOOT,
    /** Permits lower nice values, real-time policies and any affinity, also for other processes. */
    CAP_SYS_NICE,
    /** Permits raising hard limits, and exceeding quotas and reserved disk space. */
    CAP_SYS_RESOURCE,
    /** Permits setting the clock. */
    CAP_SYS_TIME,
    /** Permits configuring and hanging up virtual terminals. */
    CAP_SYS_TTY_CONFIG,
    /** Permits creating device files. */
    CAP_MKNOD,
    /** Permits leases on files of any owner. */
    CAP_LEASE,
    /** Permits writing to the audit log. */
    CAP_AUDIT_WRITE,
    /** Permits turning auditing on and off, and changing its rules. */
    CAP_AUDIT_CONTROL,
    /** Permits setting file capabilities, and mapping uid 0 into a user namespace. */
    CAP_SETFCAP,
    /** Overrides the mandatory access control of some security modules, such as Smack. */
    CAP_MAC_OVERRIDE,
    /** Permits configuring the mandatory access control of some security modules. */
    CAP_MAC_ADMIN,
    /** Permits reading and clearing the kernel log, and shows kernel addresses. */
    CAP_SYSLOG,
    /** Permits timers that wake the system from suspend. */
    CAP_WAKE_ALARM,
    /** Permits preventing the system's suspend. */
    CAP_BLOCK_SUSPEND,
    /** Permits reading the audit log by its netlink multicast group. Since Linux 3.16. */
    CAP_AUDIT_READ,
    /** Permits performance monitoring of other processes and of the kernel. Since Linux 5.8. */
    CAP_PERFMON,
    /**
     * Permits loading BPF programs and creating maps. Some program types need another capability too. Since Linux 5.8.
     */
    CAP_BPF,
    /** Permits choosing pids, and inspecting processes for checkpoint and restore. Since Linux 5.9. */
    CAP_CHECKPOINT_RESTORE;

    /** The number of bits of a capability set. No kernel has more capabilities. */
    static final int LIMIT = 64;

    private static final Capability[] ALL = values();

    /** The highest capability of the running kernel. Without {@code /proc}: that of this list. */
    static int lastOfKernel() {
        try (FileInputStream in = new FileInputStream("/proc/sys/kernel/cap_last_cap")) {
            int last = Integer.parseInt(new String(in.readNBytes(3), StandardCharsets.US_ASCII).strip());
            return Math.min(Math.max(last, 0), LIMIT - 1);
        } catch (IOException | NumberFormatException e) {
            return ALL.length - 1;
        }
    }

    /** Returns the capability's number, {@code CAP_*} of the kernel's header. */
    public int number() {
        return ordinal();
    }

    long bit() {
        return 1L << ordinal();
    }

    /**
     * Returns the lower-case name of a capability's number. A number without a name is written as {@code cap_41}.
     *
     * @throws IllegalArgumentException if the number is not in 0 to 63
     */
    public static String name(int number) {
        if (number < 0 || number >= LIMIT) {
            throw new IllegalArgumentException("number " + number + " is not in 0 to " + (LIMIT - 1));
        }
        return number < ALL.length ? ALL[number].name().toLowerCase(Locale.ROOT) : "cap_" + number;
    }

    /** Returns the number of a name. Case and the prefix {@code cap_} do not matter. Returns -1 for an unknown name. */
    static int number(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        name = name.startsWith("CAP_") ? name.substring(4) : name;
        for (Capability capability : ALL) {
            if (capability.name().equals("CAP_" + name)) {
                return capability.ordinal();
            }
        }
        return numberOf(name);
    }

    /** Returns the value of one or two digits, or -1. */
    private static int numberOf(String digits) {
        boolean isNumber =
                !digits.isEmpty() && digits.length() <= 2 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        int value = isNumber ? Integer.parseInt(digits) : LIMIT;
        return value < LIMIT ? value : -1;
    }
}
