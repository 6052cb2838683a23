// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import org.jspecify.annotations.Nullable;

/**
 * The native library: loaded by {@link LibraryFile}, then told which features to go without, and given its launcher.
 *
 * <p>Loading is tried once. If it fails, every later call fails with the same message: the reason, and what to do.
 */
public final class NativeLibrary {
    /** Names the library's file, for an installation with files of its own. */
    public static final String LIBRARY_PROPERTY = "org.umh4j.library.path";

    /** Names the launcher's file, for hosts that forbid executable memfds. */
    public static final String LAUNCHER_PROPERTY = "org.umh4j.launcher.path";

    /** Names the folder in which the private folder is made. */
    public static final String FOLDER_PROPERTY = "org.umh4j.library.tmpdir";

    @SuppressWarnings("StaticAssignmentOfThrowable") // it is the cause of each error that is thrown
    private static final @Nullable UnsatisfiedLinkError FAILURE = load();

    private NativeLibrary() {}

    /** Every path to a native method calls this first. */
    public static void require() {
        UnsatisfiedLinkError failure = FAILURE;
        if (failure != null) {
            throw again(failure);
        }
    }

    /** Whether it could be loaded. */
    public static boolean isLoaded() {
        return FAILURE == null;
    }

    /** The same failure with the stack of the current caller; the first one is its cause. */
    private static UnsatisfiedLinkError again(UnsatisfiedLinkError first) {
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError(first.getMessage());
        failure.initCause(first);
        return failure;
    }

    /** Called once. Returns null, or the failure. */
    private static @Nullable UnsatisfiedLinkError load() {
        Throwable reason = Native.FAILURE == null ? prepare() : Native.FAILURE;
        if (reason == null) {
            return null;
        }
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError("umh4j can't be loaded: " + described(reason));
        failure.initCause(reason);
        return failure;
    }

    /** Prepares the loaded library. Returns null, or what was thrown. */
    private static @Nullable Throwable prepare() {
        try {
            Feature.leaveOut();
            int result = loadLauncher();
            return result < 0
                    ? new UnsatisfiedLinkError(
                            "the launcher can't be made ready: errno " + -result + Remedy.ofLauncher(-result))
                    : null;
        } catch (Throwable e) { // any: thrown from here, later callers would get a NoClassDefFoundError without it
            return e;
        }
    }

    /** There may be no descriptor left to load one more class with. */
    private static String described(Throwable failure) {
        try {
            return Remedy.described(failure);
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
