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
 * The capability policy of this JVM: its counterpart of the sysctls {@code kernel.usermodehelper.bset} and
 * {@code kernel.usermodehelper.inheritable}. It limits the capabilities of every helper.
 *
 * <p>The policy has two sets of capabilities, the bset and the inheritable set. Every helper's bounding set is
 * intersected with the bset, its inheritable set with the inheritable set, and its ambient set with both, before its
 * init function runs and again after it. The initial values are the host's sysctls if this process may read them, else
 * all capabilities. The sets can only be narrowed: a capability that was removed does not return for the life of the
 * JVM.
 *
 * <p>The JVM needs {@code CAP_SETPCAP} to drop a capability from a bounding set. Without it a narrowed policy makes
 * every start fail at {@link org.umh4j.linux.UmhStage#BOUNDING}; no helper starts without the policy applied.
 *
 * @implSpec {@code proc_cap_handler()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class UmhSysctl {
    private static final String SYSCTL_DIRECTORY = "/proc/sys/kernel/usermodehelper/";
    private static final AtomicLong BSET = new AtomicLong(ofHost("bset"));
    private static final AtomicLong INHERITABLE = new AtomicLong(ofHost("inheritable"));

    private UmhSysctl() {}

    /** Returns the capabilities that helpers may have in their bounding set. */
    public static CapabilitySet bset() {
        NativeLibrary.require();
        return new CapabilitySet(BSET.get());
    }

    /** Returns the capabilities that helpers may have in their inheritable set. */
    public static CapabilitySet inheritable() {
        NativeLibrary.require();
        return new CapabilitySet(INHERITABLE.get());
    }

    /** Intersects the bset with {@code set} and returns the result. */
    public static CapabilitySet narrowBset(CapabilitySet set) {
        return narrow(BSET, set);
    }

    /** Intersects the inheritable set with {@code set} and returns the result. */
    public static CapabilitySet narrowInheritable(CapabilitySet set) {
        return narrow(INHERITABLE, set);
    }

    private static CapabilitySet narrow(AtomicLong policy, CapabilitySet set) {
        NativeLibrary.require();
        long bits = Objects.requireNonNull(set, "set").bits();
        return new CapabilitySet(policy.accumulateAndGet(bits, (a, b) -> a & b));
    }

    /**
     * Intersects the bset with a text, as a {@code write(2)} to {@code /proc/sys/kernel/usermodehelper/bset}
     * does. Only the policy of this JVM changes.
     *
     * <p>The text has one or two 32-bit words, the low one first: decimal, hexadecimal with {@code 0x} or octal with
     * {@code 0}, separated by spaces, tabs or newlines. One word leaves the high half unchanged. A sign is an invalid
     * character.
     *
     * @return the number of bytes that were consumed; {@code -EINVAL} for an invalid text, which changes nothing;
     *     {@code -EPERM} if the JVM lacks {@code CAP_SETPCAP} or {@code CAP_SYS_MODULE}, which is checked before the
     *     text
     */
    public static int writeBset(String text) {
        return write(BSET, text);
    }

    /**
     * Intersects the inheritable set with a text, as a {@code write(2)} to
     * {@code /proc/sys/kernel/usermodehelper/inheritable} does.
     *
     * @return as {@link #writeBset}
     */
    public static int writeInheritable(String text) {
        return write(INHERITABLE, text);
    }

    private static int write(AtomicLong policy, String text) {
        Objects.requireNonNull(text, "text");
        CapabilitySet effective = new CapabilitySet(Host.effective());
        if (!effective.contains(Capability.CAP_SETPCAP) || !effective.contains(Capability.CAP_SYS_MODULE)) {
            return -Errno.EPERM.number();
        }
        SysctlText parsed = SysctlText.parse(text);
        if (parsed.result() > 0) {
            policy.updateAndGet(parsed::intersect);
        }
        return parsed.result();
    }

    /** The host's value of a sysctl; 0 if the native library is not loaded, since no helper can be started then. */
    private static long ofHost(String name) {
        if (!NativeLibrary.isLoaded()) {
            return 0;
        }
        try {
            SysctlText text = SysctlText.parse(ProcFile.read(SYSCTL_DIRECTORY + name));
            return text.result() > 0 ? text.intersect(Host.capabilities()) : Host.capabilities();
        } catch (IOException e) {
            return Host.capabilities();
        }
    }
}
