// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Names of users and groups as the host knows them. Package org.umh4j implements it, since a lookup may start helpers. */
public interface NameService {
    /** The time that the host's other sources may take. */
    Duration BOUND = Duration.ofSeconds(5);

    /** One user: the primary group is among the groups, as initgroups(3) has it. */
    record User(long uid, long gid, long[] groups) {}

    /**
     * A user by name.
     *
     * @throws IllegalArgumentException if no source of the host has the name
     * @throws java.io.UncheckedIOException if the host's other sources could not be queried in time
     */
    User user(String name, Duration timeout);

    /** A group's gid by name; throws as {@link #user} does. */
    long group(String name, Duration timeout);

    /** The one implementation. Its class is found by name, so that no package depends on one above it. */
    static NameService get() {
        return Holder.instance();
    }

    /** Registers the implementation; its class does that when it is loaded. */
    static void register(NameService service) {
        Holder.instance = service;
    }

    /** Loads the implementation at its first use. */
    final class Holder {
        private static volatile @Nullable NameService instance;

        private Holder() {}

        private static NameService instance() {
            try {
                Class.forName("org.umh4j.UserDatabase");
            } catch (ClassNotFoundException e) {
                throw new AssertionError(e);
            }
            return Objects.requireNonNull(instance);
        }
    }
}
