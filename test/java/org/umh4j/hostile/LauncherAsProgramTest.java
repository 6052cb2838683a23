// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;

/** The launcher refuses to run as a program: by any name of its file, as a copy, or as an interpreter. */
@ExtendWith(Leaks.class)
final class LauncherAsProgramTest {
    private static final String OWN = "/proc/self/exe";

    @TempDir
    private Path folder;

    /** Names and links that lead to the launcher. */
    enum Name {
        OWN_FILE {
            @Override
            String in(LauncherAsProgramTest test) {
                return OWN;
            }
        },
        FILE_OF_THE_THREAD {
            @Override
            String in(LauncherAsProgramTest test) {
                return "/proc/thread-self/exe";
            }
        },
        LINK {
            @Override
            String in(LauncherAsProgramTest test) throws Exception {
                return Files.createSymbolicLink(test.folder.resolve("link"), Path.of(OWN))
                        .toString();
            }
        },
        LINK_OF_A_LINK {
            @Override
            String in(LauncherAsProgramTest test) throws Exception {
                return Files.createSymbolicLink(test.folder.resolve("link-of-a-link"), Path.of(LINK.in(test)))
                        .toString();
            }
        },
        COPY {
            @Override
            String in(LauncherAsProgramTest test) throws Exception {
                String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86_64";
                Path image = Path.of("target/classes/org/umh4j/internal/linux-" + machine + "/launcher.elf");
                return test.program("copy", Files.readAllBytes(image));
            }
        };

        abstract String in(LauncherAsProgramTest test) throws Exception;
    }

    private String program(String name, byte[] bytes) throws Exception {
        Path file = Files.write(folder.resolve(name), bytes);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"))
                .toString();
    }

    private String script(String name, String interpreter) throws Exception {
        return program(name, ("#!" + interpreter + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** A program that names its dynamic loader. */
    private String dynamic(String name, String loader) throws Exception {
        String file = folder.resolve(name).toString();
        Path source = Files.writeString(folder.resolve(name + ".c"), "void _start(void) {}\n");
        Process gcc = new ProcessBuilder(
                        "gcc", "-nostdlib", "-pie", "-Wl,--dynamic-linker=" + loader, "-o", file, source.toString())
                .redirectErrorStream(true)
                .start();
        assertEquals("", new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals(0, gcc.waitFor());
        return file;
    }

    private static void assertRefused(String path) {
        SubprocessInfo info = SubprocessInfo.of(path, new String[] {"x"}, null);
        int retval = UsermodeHelper.exec(info, UmhWait.PROC);
        String failure =
                info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse("it ran: " + retval);
        assertEquals("EXEC ENOENT", failure, path);
    }

    @ParameterizedTest
    @EnumSource
    void launcherIsRefused(Name name) throws Exception {
        assertRefused(name.in(this));
    }

    @ParameterizedTest
    @EnumSource
    void launcherIsRefusedAsAnInterpreter(Name name) throws Exception {
        String launcher = name.in(this);
        String first = script("first", launcher);
        assertRefused(first);
        assertRefused(script("third", script("second", " \t" + first + " argument")));
    }

    @ParameterizedTest
    @EnumSource
    void launcherIsRefusedAsADynamicLoader(Name name) throws Exception {
        String near = dynamic("near", name.in(this));
        assertRefused(near);
        assertRefused(script("script", near));
    }

    /** The name of the loader is not among the first bytes, which are all that is read of a usual program. */
    @Test
    void launcherIsRefusedAsADynamicLoaderNamedAtTheEnd() throws Exception {
        byte[] bytes = Files.readAllBytes(Path.of(dynamic("near", OWN)));
        byte[] far = java.util.Arrays.copyOf(bytes, bytes.length + OWN.length() + 1);
        System.arraycopy(OWN.getBytes(StandardCharsets.US_ASCII), 0, far, bytes.length, OWN.length());
        java.nio.ByteBuffer headers = java.nio.ByteBuffer.wrap(far).order(java.nio.ByteOrder.nativeOrder());
        int part = 64;
        while (headers.getInt(part) != 3) { // PT_INTERP
            part += 56;
        }
        headers.putLong(part + 8, bytes.length);
        headers.putLong(part + 32, OWN.length() + 1);
        assertRefused(program("far", far));
    }

    @ParameterizedTest
    @EnumSource
    void launcherIsRefusedAsTheInterpreterOfADriver(Name name) throws Exception {
        byte[] blob = ("#!" + name.in(this) + "\n").getBytes(StandardCharsets.UTF_8);
        try (UsermodeDriver driver = UsermodeDriver.load("driver", blob)) {
            UmhException refused = assertThrows(UmhException.class, driver::fork);
            assertEquals("EXEC ENOENT", refused.stage() + " " + refused.errnoName());
        }
    }

    /** Only the launcher is refused: a chain of interpreters to another program is followed to its end. */
    @Test
    void otherInterpretersAreExecuted() throws Exception {
        String chain = script("second", script("first", "/bin/true"));
        assertEquals(0, UsermodeHelper.call(chain, new String[] {"x"}, null, UmhWait.PROC));
    }
}
