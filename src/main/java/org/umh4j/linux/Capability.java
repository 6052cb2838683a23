// SPDX-License-Identifier: Apache-2.0
package org.umh4j.linux;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The capabilities of {@code capabilities(7)}, in the order of their numbers; Linux 6.18 has no others. */
public enum Capability {
    /** Gives any file any owner and group. */
    CAP_CHOWN,
    /** Reads, writes and executes files whatever their mode says. */
    CAP_DAC_OVERRIDE,
    /** Reads files and searches folders whatever their mode says. */
    CAP_DAC_READ_SEARCH,
    /** Does to any file what its owner may: mode, times, attributes. */
    CAP_FOWNER,
    /** Keeps set-user-ID and set-group-ID bits when a file is changed. */
    CAP_FSETID,
    /** Signals processes of any user. */
    CAP_KILL,
    /** Takes any gid and any groups. */
    CAP_SETGID,
    /** Takes any uid. */
    CAP_SETUID,
    /** Drops from the bounding set, sets securebits, adds to the inheritable set what is bounded. */
    CAP_SETPCAP,
    /** Sets and clears the immutable and append-only attributes of files. */
    CAP_LINUX_IMMUTABLE,
    /** Binds ports below 1024. */
    CAP_NET_BIND_SERVICE,
    /** Sends broadcasts; the kernel asks for it nowhere. */
    CAP_NET_BROADCAST,
    /** Configures interfaces, routes, filters and the rest of a network namespace. */
    CAP_NET_ADMIN,
    /** Opens raw and packet sockets. */
    CAP_NET_RAW,
    /** Locks memory without a limit. */
    CAP_IPC_LOCK,
    /** Uses System V objects whatever their mode says. */
    CAP_IPC_OWNER,
    /** Loads and unloads kernel modules; writes the policy of helpers. */
    CAP_SYS_MODULE,
    /** Reaches ports, memory and devices directly. */
    CAP_SYS_RAWIO,
    /** Takes another root folder, and joins a mount namespace. */
    CAP_SYS_CHROOT,
    /** Traces and looks into processes of any user. */
    CAP_SYS_PTRACE,
    /** Turns process accounting on and off. */
    CAP_SYS_PACCT,
    /** Mounts, makes and joins namespaces, and does a hundred other things: nearly all of root. */
    CAP_SYS_ADMIN,
    /** Reboots, and loads another kernel. */
    CAP_SYS_BOOT,
    /** Takes better nice values, real-time policies, any affinity, also of other processes. */
    CAP_SYS_NICE,
    /** Exceeds and raises hard limits, quotas and reserved space. */
    CAP_SYS_RESOURCE,
    /** Sets the clock. */
    CAP_SYS_TIME,
    /** Configures virtual terminals, and hangs them up. */
    CAP_SYS_TTY_CONFIG,
    /** Makes device files. */
    CAP_MKNOD,
    /** Takes leases on files of any owner. */
    CAP_LEASE,
    /** Writes to the audit log. */
    CAP_AUDIT_WRITE,
    /** Turns auditing on and off and sets its rules. */
    CAP_AUDIT_CONTROL,
    /** Gives files capabilities, and maps uid 0 into a user namespace. */
    CAP_SETFCAP,
    /** Overrides the mandatory access control of some security modules. */
    CAP_MAC_OVERRIDE,
    /** Configures the mandatory access control of some security modules. */
    CAP_MAC_ADMIN,
    /** Reads and clears the kernel's log, and sees kernel addresses. */
    CAP_SYSLOG,
    /** Sets alarms that wake the system. */
    CAP_WAKE_ALARM,
    /** Keeps the system from being suspended. */
    CAP_BLOCK_SUSPEND,
    /** Reads the audit log by its multicast group. Linux 3.16. */
    CAP_AUDIT_READ,
    /** Monitors performance, of other processes and of the kernel too. Linux 5.8. */
    CAP_PERFMON,
    /** Loads BPF programs and makes maps, with what their kind needs beside it. Linux 5.8. */
    CAP_BPF,
    /** Chooses pids, and looks into processes to save and restore them. Linux 5.9. */
    CAP_CHECKPOINT_RESTORE;

    /** More than any kernel has: capability sets are words of 64 bits. */
    static final int LIMIT = 64;

    private static final Capability[] ALL = values();

    /** Every capability of the running kernel; without {@code /proc} every capability of this list. */
    static final CapabilitySet KERNEL = new CapabilitySet(-1L >>> (Long.SIZE - 1 - last()));

    private static int last() {
        try (FileInputStream in = new FileInputStream("/proc/sys/kernel/cap_last_cap")) {
            int last = Integer.parseInt(new String(in.readNBytes(3), StandardCharsets.US_ASCII).strip());
            return Math.min(Math.max(last, 0), LIMIT - 1);
        } catch (IOException | NumberFormatException e) {
            return ALL.length - 1;
        }
    }

    /** The number that the kernel knows it by. */
    public int number() {
        return ordinal();
    }

    long bit() {
        return 1L << ordinal();
    }

    /** The name of a number in the usual small letters, also of one that is not listed: {@code cap_41}. */
    public static String name(int number) {
        return number < ALL.length ? ALL[number].name().toLowerCase(Locale.ROOT) : "cap_" + number;
    }

    /** The number of a name with or without its prefix, in letters of any size; -1 when there is none. */
    static int number(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        name = name.startsWith("CAP_") ? name.substring(4) : name;
        for (Capability capability : ALL) {
            if (capability.name().equals("CAP_" + name)) {
                return capability.ordinal();
            }
        }
        return unnamed(name);
    }

    private static int unnamed(String digits) {
        boolean number =
                !digits.isEmpty() && digits.length() <= 2 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        int value = number ? Integer.parseInt(digits) : LIMIT;
        return value < LIMIT ? value : -1;
    }
}
