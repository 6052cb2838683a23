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
 * The policy for the programs that this JVM may start. It has two independent parts:
 *
 * <ul>
 *   <li>{@link #redirectAllTo} names one program that is executed instead of the path of every call, as
 *       {@code CONFIG_STATIC_USERMODEHELPER} does. It gets the argument vector of the call; by convention the first
 *       argument is the name of the requested program. With an empty path, {@code exec} returns 0 and creates no
 *       process; {@code start}, {@code run} and drivers fail at {@link org.umh4j.linux.UmhStage#SETUP} with
 *       {@code ENOENT}.
 *   <li>{@link #allowOnly} lists the allowed paths. A call of another path fails with {@code EPERM} at
 *       {@link org.umh4j.linux.UmhStage#POLICY}.
 * </ul>
 *
 * <p>{@code allowOnly} compares the path that the call asks for, even if it is redirected; the redirection itself need
 * not be listed. {@link SubprocessInfo#path}, exceptions and listeners have the path that is executed. A call with a
 * null path is redirected too.
 *
 * <p>Each part can be set once and then holds for the life of the JVM. The system properties
 * {@code org.umh4j.static.path} and {@code org.umh4j.allowed.paths} (separated by {@code :}) set them too.
 *
 * @implSpec {@code call_usermodehelper_setup()} of {@code kernel/umh.c}, Linux 6.12
 */
public final class HelperPaths {
    private static final AtomicReference<String> REDIRECTION =
            new AtomicReference<>(System.getProperty("org.umh4j.static.path"));
    private static final AtomicReference<Set<String>> ALLOWED = new AtomicReference<>(allowedByProperty());

    private HelperPaths() {}

    /**
     * Executes this program instead of the path of every call from now on; {@code ""} executes none.
     *
     * @throws IllegalStateException if a program was set before
     */
    public static void redirectAllTo(String path) {
        Bytes.of(path, "path");
        if (!REDIRECTION.compareAndSet(null, path)) {
            throw new IllegalStateException("all calls are already redirected to '" + REDIRECTION.get() + "'");
        }
    }

    /**
     * Allows these paths and no others from now on. A path is compared as text with the path of the call; links are not
     * resolved. A driver has no path: its name is compared.
     *
     * @throws IllegalStateException if a list was set before
     */
    public static void allowOnly(String... paths) {
        Arguments.nonNull(paths, "paths");
        if (!ALLOWED.compareAndSet(null, new HashSet<>(Arrays.asList(paths)))) {
            throw new IllegalStateException("the allowed paths are already " + ALLOWED.get());
        }
    }

    /** Returns the path to execute for a call of {@code path}. */
    static byte @Nullable [] redirected(byte @Nullable [] path) {
        String redirection = REDIRECTION.get();
        return redirection == null ? path : Bytes.of(redirection, "path");
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
