// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import org.jspecify.annotations.Nullable;

/**
 * Prepares the native library: {@link LibraryFile} loads it, then features are disabled and the launcher is loaded.
 *
 * <p>Loading is tried once. If it fails, every later call fails with the same message: the reason and the remedy.
 */
public final class NativeLibrary {
    /** Names the file of the library, for an installation with separate files. */
    public static final String LIBRARY_PROPERTY = "org.umh4j.library.path";

    /** Names the file of the launcher, for hosts that forbid executable memfds. */
    public static final String LAUNCHER_PROPERTY = "org.umh4j.launcher.path";

    /** Names the directory in which the private directory is created. */
    public static final String DIRECTORY_PROPERTY = "org.umh4j.library.tmpdir";

    @SuppressWarnings("StaticAssignmentOfThrowable") // it is the cause of each error that is thrown
    private static final @Nullable UnsatisfiedLinkError FAILURE = load();

    private NativeLibrary() {}

    /** Throws the reason if the library could not be loaded. Called before every native method. */
    public static void require() {
        UnsatisfiedLinkError failure = FAILURE;
        if (failure != null) {
            throw withCurrentStack(failure);
        }
    }

    /** Returns whether the library is loaded. */
    public static boolean isLoaded() {
        return FAILURE == null;
    }

    /** Returns the same failure with the stack of the current caller. The first one is its cause. */
    private static UnsatisfiedLinkError withCurrentStack(UnsatisfiedLinkError first) {
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError(first.getMessage());
        failure.initCause(first);
        return failure;
    }

    /** Loads the library and prepares it. Called once. Returns null or the failure. */
    private static @Nullable UnsatisfiedLinkError load() {
        Throwable reason = Native.FAILURE == null ? prepare() : Native.FAILURE;
        if (reason == null) {
            return null;
        }
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError("umh4j can't be loaded: " + describe(reason));
        failure.initCause(reason);
        return failure;
    }

    /** Prepares the loaded library. Returns null or the exception. */
    private static @Nullable Throwable prepare() {
        try {
            Feature.disableByProperty();
            int result = loadLauncher();
            return result < 0
                    ? new UnsatisfiedLinkError(
                            "the launcher can't be loaded: errno " + -result + LoadErrorHints.forLauncher(-result))
                    : null;
        } catch (Throwable e) { // any: an exception of the initializer would become a NoClassDefFoundError for later
            // callers
            return e;
        }
    }

    /** Without a free descriptor, even the class with the texts can't be loaded. */
    private static String describe(Throwable failure) {
        try {
            return LoadErrorHints.describe(failure);
        } catch (LinkageError e) {
            return failure + "; raise the limit of open files (ulimit -n)";
        }
    }

    private static int loadLauncher() {
        String path = System.getProperty(LAUNCHER_PROPERTY);
        if (path == null) {
            byte[] image = LibraryFile.resource("launcher.elf");
            return Native.load(image, image.length);
        }
        return Native.load(
                Bytes.nulTerminated(LibraryFile.trusted(path, LAUNCHER_PROPERTY).toString()), 0);
    }
}
