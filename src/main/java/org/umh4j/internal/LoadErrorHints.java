// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.umh4j.linux.Errno;

/** The remedies if the native library can't be loaded. Each text begins with the separator after the reason. */
final class LoadErrorHints {
    /** For a named library of another release or architecture. */
    static final String OTHER_LIBRARY =
            "; name the libumh4j.so of this release and of this architecture, or do without -D"
                    + NativeLibrary.LIBRARY_PROPERTY;

    /** For a jar without this architecture, or a JVM with an unknown os.arch. */
    static final String OTHER_ARCHITECTURE =
            "; umh4j is made for x86_64 and arm64: use a jar that has this one, or name library and" + " launcher by -D"
                    + NativeLibrary.LIBRARY_PROPERTY + " and -D" + NativeLibrary.LAUNCHER_PROPERTY;

    private static final String DIRECTORIES =
            "; name a directory that only you and root can write to and that is not mounted noexec by -D"
                    + NativeLibrary.DIRECTORY_PROPERTY + ", or the library itself by -D"
                    + NativeLibrary.LIBRARY_PROPERTY;
    private static final String DESCRIPTORS =
            "; it takes some thirty descriptors: raise the limit of open files (ulimit -n)";
    private static final String UNMAPPED =
            "; in this user namespace the owner of the system's directories is not mapped: map"
                    + " it (as newuidmap does), or start the JVM outside";
    /** The uid that the kernel reports for an unmapped owner. */
    private static final int OVERFLOW_UID = 65_534;

    private LoadErrorHints() {}

    /** Returns the reason of a failure with its remedy, unless the reason already contains one. */
    static String describe(Throwable failure) {
        String reason = reason(failure);
        if (failure instanceof IllegalCallerException) { // --illegal-native-access=deny, from 24 on
            String module = LoadErrorHints.class.getModule().getName();
            return reason + "; start the JVM with --enable-native-access=" + (module == null ? "ALL-UNNAMED" : module);
        }
        if (failure instanceof OutOfMemoryError) {
            return reason + "; give the JVM more memory";
        }
        return failure instanceof UnsatisfiedLinkError && !reason.contains("; ") ? reason + OTHER_LIBRARY : reason;
    }

    /** Returns the reason of an exception. Some exceptions of java.nio.file have it only in their class. */
    static String reason(Throwable failure) {
        if (failure instanceof NoSuchFileException) {
            return failure.getMessage() + " does not exist";
        }
        if (failure instanceof AccessDeniedException) {
            return failure.getMessage() + " may not be accessed";
        }
        boolean hasMessage = failure instanceof IOException || failure instanceof UnsatisfiedLinkError;
        return hasMessage && (failure.getMessage() != null || failure instanceof FileSystemException)
                ? String.valueOf(failure.getMessage())
                : failure.toString();
    }

    /** Returns the remedy if no directory can be used. */
    static String forDirectories(String reasons) {
        if (reasons.contains("Too many open files")) {
            return DESCRIPTORS;
        }
        return reasons.contains("belongs to uid " + OVERFLOW_UID) && isRootUnmapped() ? UNMAPPED : DIRECTORIES;
    }

    private static boolean isRootUnmapped() {
        try {
            return !ProcFile.read("/proc/self/uid_map").matches("\\s*0\\s+0\\s+4294967295\\s*");
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the remedy if the launcher can't be loaded. */
    static String forLauncher(int number) {
        Errno errno = Errno.of(number);
        String name = errno == null ? "" : " (" + errno + ", " + errno.text() + ")";
        if (errno == Errno.EMFILE || errno == Errno.ENFILE) {
            return name + DESCRIPTORS;
        }
        if (errno == Errno.ENOMEM || errno == Errno.ENOSPC) {
            return name + "; the kernel lacks memory for it: raise the limit of this cgroup";
        }
        return name
                + "; where executable memfds are forbidden (vm.memfd_noexec=2) it needs CAP_SYS_ADMIN; or name its file"
                + " by -D"
                + NativeLibrary.LAUNCHER_PROPERTY + ", which this user must not be able to write";
    }
}
