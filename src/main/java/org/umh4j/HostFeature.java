// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.umh4j.internal.Feature;
import org.umh4j.internal.NativeLibrary;

/**
 * A system call of a newer kernel that the library uses, or its fallback where the kernel lacks it or a seccomp filter
 * refuses it. {@code umh doctor} prints these.
 *
 * <p>A system call is tried when it is first needed. Until then it counts as in use, so the list is complete only after
 * the first start of a helper. The system property {@code org.umh4j.without} names features that must not be used.
 *
 * @param name the system call in small letters, such as {@code clone3}
 * @param inUse whether the library uses it
 * @param fallback what the library does without it, or what that costs
 */
public record HostFeature(String name, boolean inUse, String fallback) {
    /** No component may be null. */
    public HostFeature {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(fallback, "fallback");
    }

    /** Returns all features, each with its present state. */
    public static List<HostFeature> all() {
        NativeLibrary.require();
        return Arrays.stream(Feature.values())
                .map(feature -> new HostFeature(feature.toString(), feature.isInUse(), feature.withoutIt()))
                .toList();
    }
}
