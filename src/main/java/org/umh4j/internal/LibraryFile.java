// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Loads the native library, safely for a process of root: from a file that no other user can have written.
 *
 * <p>It is the file of {@value NativeLibrary#LIBRARY_PROPERTY}, which is checked by {@link TrustedPath}. Without that
 * property it is the copy in this jar. That copy is written into a new directory with mode 0700, read back, loaded and
 * deleted. No cache is kept or used. A directory on a {@code noexec} mount is skipped for the next candidate.
 */
public final class LibraryFile {
    private static final Set<PosixFilePermission> OWNER_ONLY = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);
    private static final int ATTEMPTS = 100;

    private LibraryFile() {}

    /** Loads the library. Called once, by the initializer of {@link Native}. Returns null, or the exception. */
    static @Nullable Throwable load() {
        try {
            String path = System.getProperty(NativeLibrary.LIBRARY_PROPERTY);
            if (path != null) {
                loadNamed(trusted(path, NativeLibrary.LIBRARY_PROPERTY));
            } else {
                loadBundled(resource("libumh4j.so"));
            }
            return null;
        } catch (Throwable e) { // any: an exception of the initializer would become a NoClassDefFoundError for later
            // callers
            return e;
        }
    }

    /**
     * Loads a named library. A truncated file would be mapped, and an access to the missing part would kill the JVM by
     * SIGBUS.
     */
    private static void loadNamed(Path library) {
        try {
            ElfFile.requireWhole(library, System.getProperty("os.arch"));
        } catch (IOException e) {
            throw new UnsatisfiedLinkError(
                    NativeLibrary.LIBRARY_PROPERTY + ": " + e.getMessage() + LoadErrorHints.OTHER_LIBRARY);
        }
        System.load(library.toString());
    }

    /** Returns the path of a property, after a check by {@link TrustedPath}. */
    static Path trusted(String path, String property) {
        try {
            return TrustedPath.require(Path.of(path));
        } catch (IOException e) {
            throw new UnsatisfiedLinkError(property + ": " + LoadErrorHints.reason(e));
        }
    }

    /** Returns the bytes of a file of this jar for this architecture. */
    public static byte[] resource(String name) {
        String place = platform() + "/" + name;
        try (InputStream in = LibraryFile.class.getResourceAsStream(place)) {
            if (in == null) {
                throw new UnsatisfiedLinkError("this jar has no " + place + " (os.arch " + System.getProperty("os.arch")
                        + ")" + LoadErrorHints.OTHER_ARCHITECTURE);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UnsatisfiedLinkError(place + ": " + e.getMessage());
        }
    }

    private static String platform() {
        String arch = System.getProperty("os.arch");
        return "linux-" + (arch.equals("amd64") ? "x86_64" : arch.equals("aarch64") ? "arm64" : arch);
    }

    private static void loadBundled(byte[] library) {
        List<String> failures = new ArrayList<>();
        for (Path base : directories()) {
            try {
                loadFrom(base, library);
                return;
            } catch (IOException | UnsatisfiedLinkError e) {
                failures.add(base + ": " + LoadErrorHints.reason(e));
            }
        }
        String reasons = String.join("; ", failures);
        throw new UnsatisfiedLinkError(
                "no directory to load from: " + reasons + LoadErrorHints.forDirectories(reasons));
    }

    /** Returns the directories in which a private one may be created, the best first. Some may be missing or noexec. */
    public static Set<Path> directories() {
        String named = System.getProperty(NativeLibrary.DIRECTORY_PROPERTY);
        if (named != null) {
            return Set.of(Path.of(named));
        }
        Set<Path> directories = new LinkedHashSet<>();
        for (String directory : Arrays.asList(
                System.getProperty("java.io.tmpdir"),
                System.getenv("XDG_RUNTIME_DIR"),
                "/run",
                "/dev/shm",
                "/var/tmp",
                System.getProperty("user.home"))) {
            if (directory != null && directory.startsWith("/")) { // for a user without a home it is "?"
                directories.add(Path.of(directory));
            }
        }
        return directories;
    }

    private static void loadFrom(Path base, byte[] library) throws IOException {
        Path directory = privateDirectory(base);
        Path file = directory.resolve("libumh4j.so");
        try {
            write(file, library);
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new UnsatisfiedLinkError(
                    String.valueOf(e.getMessage()).replace(file + ": ", "")); // both JDK and linker add the path
        } finally {
            Files.deleteIfExists(file);
            Files.delete(directory);
        }
    }

    /**
     * Writes the library and reads it back. The JVM has loaded the classes of java.io already, and not those of
     * channels.
     */
    private static void write(Path file, byte[] library) throws IOException {
        try (FileOutputStream out = new FileOutputStream(file.toFile())) {
            out.write(library);
        }
        try (FileInputStream in = new FileInputStream(file.toFile())) {
            if (!Arrays.equals(in.readAllBytes(), library)) {
                throw new IOException("the library was changed while it was written");
            }
        }
    }

    /** Creates a directory with mode 0700 in a trusted directory, in which no other user can rename or replace it. */
    public static Path privateDirectory(Path base) throws IOException {
        Path trusted = TrustedPath.require(base);
        for (int attempt = 1; ; attempt++) {
            // The name need not be secret, since an existing directory is refused. SecureRandom would take 20 ms to set
            // up.
            Path directory = trusted.resolve("umh4j-" + Long.toHexString(System.nanoTime()));
            try {
                return Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            } catch (FileAlreadyExistsException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }
}
