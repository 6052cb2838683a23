// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Locale;

/** The capabilities of {@code capabilities(7)}, in the order of their numbers; Linux 6.18 has no others. */
public enum Capability {
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_KILL,
    CAP_SETGID,
    CAP_SETUID,
    CAP_SETPCAP,
    CAP_LINUX_IMMUTABLE,
    CAP_NET_BIND_SERVICE,
    CAP_NET_BROADCAST,
    CAP_NET_ADMIN,
    CAP_NET_RAW,
    CAP_IPC_LOCK,
    CAP_IPC_OWNER,
    CAP_SYS_MODULE,
    CAP_SYS_RAWIO,
    CAP_SYS_CHROOT,
    CAP_SYS_PTRACE,
    CAP_SYS_PACCT,
    CAP_SYS_ADMIN,
    CAP_SYS_BOOT,
    CAP_SYS_NICE,
    CAP_SYS_RESOURCE,
    CAP_SYS_TIME,
    CAP_SYS_TTY_CONFIG,
    CAP_MKNOD,
    CAP_LEASE,
    CAP_AUDIT_WRITE,
    CAP_AUDIT_CONTROL,
    CAP_SETFCAP,
    CAP_MAC_OVERRIDE,
    CAP_MAC_ADMIN,
    CAP_SYSLOG,
    CAP_WAKE_ALARM,
    CAP_BLOCK_SUSPEND,
    CAP_AUDIT_READ,
    CAP_PERFMON,
    CAP_BPF,
    CAP_CHECKPOINT_RESTORE;

    /** More than any kernel has: capability sets are words of 64 bits. */
    static final int LIMIT = 64;

    private static final Capability[] ALL = values();

    /** The number that the kernel knows it by. */
    public int number() {
        return ordinal();
    }

    long bit() {
        return 1L << ordinal();
    }

    /** The name of a number in the usual small letters, also of one that is not listed: {@code cap_41}. */
    static String name(int number) {
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
        boolean number = !digits.isEmpty() && digits.length() <= 2 && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        int value = number ? Integer.parseInt(digits) : LIMIT;
        return value < LIMIT ? value : -1;
    }
}
