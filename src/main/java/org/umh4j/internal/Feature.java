// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Arrays;
import java.util.Locale;

/** Newer system calls that the library uses where the kernel has them; enum umh_feature of umh.h has the same order. */
public enum Feature {
    CLONE3("clone serves"),
    CLOSE_RANGE("the time to start a helper grows with the JVM's descriptors"),
    EXECVEAT("/proc/self/fd serves"),
    PIDFD_INFO("a status that somebody else has taken is lost"),
    PERSONALITY("a start takes some microseconds more"),
    UNSHARE("without close_range the whole table of descriptors is copied"),
    EPOLL("ends and pipes are noticed some milliseconds later");

    /** Names those to go without, separated by commas: as if the kernel were older, or a filter forbade them. */
    public static final String WITHOUT_PROPERTY = "org.umh4j.without";

    private final String withoutIt;

    Feature(String withoutIt) {
        this.withoutIt = withoutIt;
    }

    /** What it means that it is missing. */
    public String withoutIt() {
        return withoutIt;
    }

    /** Whether it is used, as far as is known by now. */
    public boolean isInUse() {
        return (Native.features() & 1 << ordinal()) != 0;
    }

    /** Obeys {@value #WITHOUT_PROPERTY}. */
    static void leaveOut() {
        String names = System.getProperty(WITHOUT_PROPERTY, "").trim();
        if (!names.isEmpty()) {
            Native.disableFeatures(Arrays.stream(names.split("\\s*,\\s*"))
                    .mapToInt(Feature::bit)
                    .reduce(0, (a, b) -> a | b));
        }
    }

    private static int bit(String name) {
        try {
            return 1 << valueOf(name.toUpperCase(Locale.ROOT)).ordinal();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    WITHOUT_PROPERTY + ": " + name + " is none of " + Arrays.toString(values()), e);
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
