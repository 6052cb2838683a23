// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Looks up users and groups of the host by name. Package org.umh4j implements it, since a lookup may start helpers. */
public interface UserLookup {
    /** The longest wait for other sources than the files in /etc. */
    Duration BOUND = Duration.ofSeconds(5);

    /** A user. The groups include the primary group, as in initgroups(3). */
    record User(long uid, long gid, long[] groups) {}

    /**
     * Looks up a user.
     *
     * @throws IllegalArgumentException if no source has the name
     * @throws java.io.UncheckedIOException if the other sources could not be queried within the bound
     */
    User user(String name, Duration timeout);

    /** Looks up the gid of a group. Throws the exceptions of {@link #user}. */
    long group(String name, Duration timeout);

    /** Returns the implementation. Its class is loaded by name, so that this package does not depend on it. */
    static UserLookup get() {
        return Holder.instance();
    }

    /** Registers the implementation. The static initializer of its class calls it. */
    static void register(UserLookup service) {
        Holder.instance = service;
    }

    /** Loads the implementation at the first use. */
    final class Holder {
        private static volatile @Nullable UserLookup instance;

        private Holder() {}

        private static UserLookup instance() {
            try {
                Class.forName("org.umh4j.NameServiceSwitch");
            } catch (ClassNotFoundException e) {
                throw new AssertionError(e);
            }
            return Objects.requireNonNull(instance);
        }
    }
}
