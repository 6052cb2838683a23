// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.umh4j.linux.Errno;

/** Says what to do if the native library can't be loaded. Each text begins with the separator after the reason. */
final class Remedy {
    /** For a named library that is not the right one. */
    static final String OTHER_LIBRARY =
            "; name the libumh4j.so of this release and of this architecture, or do without -D"
                    + NativeLibrary.LIBRARY_PROPERTY;

    /** For a jar of other architectures, or a JVM whose os.arch is unknown. */
    static final String OTHER_MACHINE =
            "; umh4j is made for x86_64 and arm64: use a jar that has this one, or name library and" + " launcher by -D"
                    + NativeLibrary.LIBRARY_PROPERTY + " and -D" + NativeLibrary.LAUNCHER_PROPERTY;

    private static final String FOLDERS =
            "; name a folder that only you and root can write to and that is not mounted noexec by -D"
                    + NativeLibrary.FOLDER_PROPERTY + ", or the library itself by -D" + NativeLibrary.LIBRARY_PROPERTY;
    private static final String DESCRIPTORS =
            "; it takes some thirty descriptors: raise the limit of open files (ulimit -n)";
    private static final String UNMAPPED =
            "; in this user namespace the owner of the system's folders has no number: map"
                    + " it (as newuidmap does), or start the JVM outside";
    /** The uid that the kernel reports for an unmapped owner. */
    private static final int OVERFLOW_UID = 65_534;

    private Remedy() {}

    /** The reason of a failure, and what to do unless the reason has it already. */
    static String described(Throwable failure) {
        String reason = reason(failure);
        if (failure instanceof IllegalCallerException) { // --illegal-native-access=deny, from 24 on
            String module = Remedy.class.getModule().getName();
            return reason + "; start the JVM with --enable-native-access=" + (module == null ? "ALL-UNNAMED" : module);
        }
        if (failure instanceof OutOfMemoryError) {
            return reason + "; give the JVM more memory";
        }
        return failure instanceof UnsatisfiedLinkError && !reason.contains("; ") ? reason + OTHER_LIBRARY : reason;
    }

    /** The reason of an exception. Some exceptions of files have it only in their class. */
    static String reason(Throwable failure) {
        if (failure instanceof NoSuchFileException) {
            return failure.getMessage() + " does not exist";
        }
        if (failure instanceof AccessDeniedException) {
            return failure.getMessage() + " may not be accessed";
        }
        boolean speaks = failure instanceof IOException || failure instanceof UnsatisfiedLinkError;
        return speaks && (failure.getMessage() != null || failure instanceof FileSystemException)
                ? String.valueOf(failure.getMessage())
                : failure.toString();
    }

    /** For the case that no directory can be used. */
    static String ofFolders(String reasons) {
        if (reasons.contains("Too many open files")) {
            return DESCRIPTORS;
        }
        return reasons.contains("belongs to uid " + OVERFLOW_UID) && isRootUnmapped() ? UNMAPPED : FOLDERS;
    }

    private static boolean isRootUnmapped() {
        try {
            return !ProcFile.read("/proc/self/uid_map").matches("\\s*0\\s+0\\s+4294967295\\s*");
        } catch (IOException e) {
            return false;
        }
    }

    /** For a launcher that could not be prepared. */
    static String ofLauncher(int number) {
        Errno errno = Errno.of(number);
        String name = errno == null ? "" : " (" + errno + ", " + errno.text() + ")";
        if (errno == Errno.EMFILE || errno == Errno.ENFILE) {
            return name + DESCRIPTORS;
        }
        if (errno == Errno.ENOMEM || errno == Errno.ENOSPC) {
            return name + "; the kernel has no memory for it: raise the limit of this cgroup";
        }
        return name
                + "; where executable memfds are forbidden (vm.memfd_noexec=2) it needs CAP_SYS_ADMIN; or name its file by -D"
                + NativeLibrary.LAUNCHER_PROPERTY + ", which this user must not be able to write";
    }
}
