// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.util.Arrays;
import java.util.Locale;

/** Newer system calls that the library uses if the host allows them, in the order of enum umh_feature of umh.h. */
public enum Feature {
    CLONE3("clone is used"),
    CLOSE_RANGE("the time to start a helper grows with the JVM's descriptors"),
    EXECVEAT("/proc/self/fd is used"),
    PIDFD_INFO("a status that other code has read is lost"),
    PERSONALITY("a start takes some microseconds more"),
    UNSHARE("without close_range the whole table of descriptors is copied"),
    EPOLL("exits and pipes are noticed some milliseconds later");

    /** Names the features that are not used, separated by commas, as on an older kernel or with a seccomp filter. */
    public static final String WITHOUT_PROPERTY = "org.umh4j.without";

    private final String withoutIt;

    Feature(String withoutIt) {
        this.withoutIt = withoutIt;
    }

    /** Returns the consequence if it is missing. */
    public String withoutIt() {
        return withoutIt;
    }

    /** Returns whether it is used, as far as is known by now. */
    public boolean isInUse() {
        return (Native.features() & 1 << ordinal()) != 0;
    }

    /** Disables the features of {@value #WITHOUT_PROPERTY}. */
    static void disableByProperty() {
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
