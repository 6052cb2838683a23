// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.umh4j.internal.Host;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.internal.ProcFile;
import org.umh4j.linux.Capability;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;

/**
 * What no helper of this JVM may have: the policy of {@code kernel.usermodehelper.bset} and {@code .inheritable}.
 *
 * <p>Two sets of capabilities. Every helper's bounding set is cut down to the one, its inheritable set to the other,
 * before its init function runs and again after it. Both start with what the host's own sysctl says, where this process
 * may read it, else full. They can only be narrowed: nothing that was dropped comes back for as long as the JVM runs.
 *
 * <p>Dropping from a bounding set needs {@code CAP_SETPCAP} in the JVM; without it a narrowed policy makes every start
 * fail at {@link org.umh4j.linux.UmhStage#BOUNDING}, rather than start helpers that ignore it.
 *
 * @implSpec {@code proc_cap_handler()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class UmhSysctl {
    private static final String HOST = "/proc/sys/kernel/usermodehelper/";
    private static final AtomicLong BSET = new AtomicLong(host("bset"));
    private static final AtomicLong INHERITABLE = new AtomicLong(host("inheritable"));

    private UmhSysctl() {}

    /** What helpers may have in their bounding set. */
    public static CapabilitySet bset() {
        NativeLibrary.require();
        return new CapabilitySet(BSET.get());
    }

    /** What helpers may have in their inheritable set. */
    public static CapabilitySet inheritable() {
        NativeLibrary.require();
        return new CapabilitySet(INHERITABLE.get());
    }

    /** Intersects the first with a set; what remains. */
    public static CapabilitySet narrowBset(CapabilitySet set) {
        return narrow(BSET, set);
    }

    /** Intersects the second with a set; what remains. */
    public static CapabilitySet narrowInheritable(CapabilitySet set) {
        return narrow(INHERITABLE, set);
    }

    private static CapabilitySet narrow(AtomicLong words, CapabilitySet set) {
        NativeLibrary.require();
        long kept = Objects.requireNonNull(set, "set").bits();
        return new CapabilitySet(words.accumulateAndGet(kept, (a, b) -> a & b));
    }

    /**
     * Does what a {@code write(2)} of this text to {@code /proc/sys/kernel/usermodehelper/bset} does, to this JVM's
     * policy alone.
     *
     * <p>One or two words, decimal, {@code 0x} hexadecimal or {@code 0} octal, low word first, separated by blanks,
     * tabs or newlines. One word leaves the high one alone. A sign is refused like any other invalid character.
     *
     * @return how many bytes were taken; {@code -EINVAL} for anything else, and nothing is changed; {@code -EPERM}
     *     without {@code CAP_SETPCAP} and {@code CAP_SYS_MODULE}, before the text is looked at
     */
    public static int writeBset(String text) {
        return write(BSET, text);
    }

    /** The same for {@code inheritable}. */
    public static int writeInheritable(String text) {
        return write(INHERITABLE, text);
    }

    private static int write(AtomicLong words, String text) {
        Objects.requireNonNull(text, "text");
        CapabilitySet effective = new CapabilitySet(Host.effective());
        if (!effective.contains(Capability.CAP_SETPCAP) || !effective.contains(Capability.CAP_SYS_MODULE)) {
            return -Errno.EPERM.number();
        }
        SysctlText parsed = SysctlText.parse(text);
        if (parsed.result() > 0) {
            words.updateAndGet(parsed::intersect);
        }
        return parsed.result();
    }

    /** 0 if the library is not loaded: then no helper can be started either. */
    private static long host(String name) {
        if (!NativeLibrary.isLoaded()) {
            return 0;
        }
        try {
            SysctlText text = SysctlText.parse(ProcFile.read(HOST + name));
            return text.result() > 0 ? text.intersect(Host.capabilities()) : Host.capabilities();
        } catch (IOException e) {
            return Host.capabilities();
        }
    }
}
