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
 * Loads the native library as a tool of root must: from a file that nobody else can have written.
 *
 * <p>Either a file named by {@value NativeLibrary#LIBRARY_PROPERTY}, trusted from its root folder down to itself; or the copy in
 * this jar, written into a folder that was made for it a moment before, readable by nobody else, read back, loaded and
 * deleted. No cache is kept and none is looked at. A folder on a {@code noexec} mount is passed over for the next one.
 */
public final class LibraryFile {
    private static final Set<PosixFilePermission> OWNER_ONLY = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);
    private static final int ATTEMPTS = 100;

    private LibraryFile() {}

    /** Loads the library. Called once, when {@link Native} is initialised. Returns null, or what was thrown. */
    static @Nullable Throwable load() {
        try {
            String path = System.getProperty(NativeLibrary.LIBRARY_PROPERTY);
            if (path != null) {
                loadNamed(trusted(path, NativeLibrary.LIBRARY_PROPERTY));
            } else {
                loadBundled(resource("libumh4j.so"));
            }
            return null;
        } catch (Throwable e) { // any: thrown from here, later callers would get a NoClassDefFoundError without it
            return e;
        }
    }

    /** A truncated file could be mapped, but an access to the missing part would end the JVM by SIGBUS. */
    private static void loadNamed(Path library) {
        try {
            ElfFile.requireWhole(library, System.getProperty("os.arch"));
        } catch (IOException e) {
            throw new UnsatisfiedLinkError(
                    NativeLibrary.LIBRARY_PROPERTY + ": " + e.getMessage() + Remedy.OTHER_LIBRARY);
        }
        System.load(library.toString());
    }

    /** The path in a property, checked by {@link TrustedPath}. */
    static Path trusted(String path, String property) {
        try {
            return TrustedPath.require(Path.of(path));
        } catch (IOException e) {
            throw new UnsatisfiedLinkError(property + ": " + Remedy.reason(e));
        }
    }

    /** A file of this jar; public for the command line, which carries the probe there. */
    public static byte[] resource(String name) {
        String place = platform() + "/" + name;
        try (InputStream in = LibraryFile.class.getResourceAsStream(place)) {
            if (in == null) {
                throw new UnsatisfiedLinkError("this jar has no " + place + " (os.arch " + System.getProperty("os.arch")
                        + ")" + Remedy.OTHER_MACHINE);
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
        List<String> refused = new ArrayList<>();
        for (Path base : folders()) {
            try {
                loadFrom(base, library);
                return;
            } catch (IOException | UnsatisfiedLinkError e) {
                refused.add(base + ": " + Remedy.reason(e));
            }
        }
        String reasons = String.join("; ", refused);
        throw new UnsatisfiedLinkError("no directory to load from: " + reasons + Remedy.ofFolders(reasons));
    }

    /** Where a private folder may be made, the best place first; some may be missing, or mounted noexec. */
    public static Set<Path> folders() {
        String named = System.getProperty(NativeLibrary.FOLDER_PROPERTY);
        if (named != null) {
            return Set.of(Path.of(named));
        }
        Set<Path> folders = new LinkedHashSet<>();
        for (String folder : Arrays.asList(
                System.getProperty("java.io.tmpdir"),
                System.getenv("XDG_RUNTIME_DIR"),
                "/run",
                "/dev/shm",
                "/var/tmp",
                System.getProperty("user.home"))) {
            if (folder != null && folder.startsWith("/")) { // a user without a home has "?"
                folders.add(Path.of(folder));
            }
        }
        return folders;
    }

    private static void loadFrom(Path base, byte[] library) throws IOException {
        Path folder = privateFolder(base);
        Path file = folder.resolve("libumh4j.so");
        try {
            write(file, library);
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new UnsatisfiedLinkError(
                    String.valueOf(e.getMessage()).replace(file + ": ", "")); // JDK and linker both name it
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
    }

    /** The streams of java.io: the JVM has their classes already, and not those of channels. */
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

    /** A new folder of mode 0700 below one that nobody else can rename or replace anything of ours in. */
    public static Path privateFolder(Path base) throws IOException {
        Path trusted = TrustedPath.require(base);
        for (int attempt = 1; ; attempt++) {
            // Not a secret: the folder is made anew or not at all. A source of secrets takes 20 ms to be set up.
            Path folder = trusted.resolve("umh4j-" + Long.toHexString(System.nanoTime()));
            try {
                return Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            } catch (FileAlreadyExistsException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }
}
