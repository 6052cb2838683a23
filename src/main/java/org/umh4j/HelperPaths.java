// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Bytes;

/**
 * Which programs this JVM may start at all.
 *
 * <p>One program can mediate all calls, as {@code CONFIG_STATIC_USERMODEHELPER} has it: it is executed instead of the
 * path of every call, with the argument vector of the call, whose first element tells it what was meant. An empty
 * path turns every call into a successful no-op. And a list can say which paths are allowed: a call of another one fails
 * with {@code EPERM} at {@link org.umh4j.linux.UmhStage#POLICY}.
 *
 * <p>Either can be said once, also by the properties {@code org.umh4j.static.path} and {@code org.umh4j.allowed.paths}
 * (separated by {@code :}); it then holds as long as the JVM runs.
 *
 * @implSpec {@code call_usermodehelper_setup()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class HelperPaths {
    private static final AtomicReference<String> MEDIATOR =
            new AtomicReference<>(System.getProperty("org.umh4j.static.path"));
    private static final AtomicReference<Set<String>> ALLOWED = new AtomicReference<>(allowedByProperty());

    private HelperPaths() {}

    /**
     * Has this program executed for every call from now on; {@code ""} makes every call a no-op.
     *
     * @throws IllegalStateException if one was named before
     */
    public static void mediateBy(String path) {
        Bytes.of(path, "path");
        if (!MEDIATOR.compareAndSet(null, path)) {
            throw new IllegalStateException("calls are already mediated by '" + MEDIATOR.get() + "'");
        }
    }

    /**
     * Allows these paths and no others from now on. They are compared as text with the path of the call.
     *
     * @throws IllegalStateException if a list was given before
     */
    public static void allowOnly(String... paths) {
        Arguments.nonNull(paths, "paths");
        if (!ALLOWED.compareAndSet(null, new HashSet<>(Arrays.asList(paths)))) {
            throw new IllegalStateException("the allowed paths are already " + ALLOWED.get());
        }
    }

    /** The path that is executed for a call of this one, which may be null. */
    static byte @Nullable [] mediated(byte @Nullable [] path) {
        String mediator = MEDIATOR.get();
        return mediator == null ? path : Bytes.of(mediator, "path");
    }

    static boolean allows(byte @Nullable [] path) {
        Set<String> allowed = ALLOWED.get();
        return allowed == null || path == null || allowed.contains(Bytes.toString(path));
    }

    private static @Nullable Set<String> allowedByProperty() {
        String paths = System.getProperty("org.umh4j.allowed.paths");
        return paths == null ? null : new HashSet<>(Arrays.asList(paths.split(":")));
    }
}
