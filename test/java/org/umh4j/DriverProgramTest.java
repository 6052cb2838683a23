// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.internal.Blob;
import org.umh4j.internal.LibraryFile;
import org.umh4j.internal.NativeLibrary;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;

/** Programs of drivers: which bytes are accepted, where they are stored, and when they begin to run. */
@ExtendWith(Leaks.class)
@Timeout(120)
final class DriverProgramTest {
    private static final byte[][] HELD = {"held".getBytes(US_ASCII), "pause".getBytes(US_ASCII)};

    private static final int MIB = 1 << 20;

    private static String output(UsermodeDriver driver) throws Exception {
        driver.fork();
        String out = new String(driver.pipeFromUmh().stream().readAllBytes(), StandardCharsets.UTF_8);
        driver.onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
        return out;
    }

    private static UmhException failure(byte[] program) throws IOException {
        try (UsermodeDriver driver = UsermodeDriver.load("bad", program)) {
            return assertThrows(UmhException.class, driver::fork);
        }
    }

    private static String text(UmhException failure) {
        return failure.stage() + " " + failure.errnoName();
    }

    @Test
    void emptyProgramIsRejected() {
        UmhException failure = assertThrows(UmhException.class, () -> UsermodeDriver.load("empty", new byte[0]));
        assertEquals("BLOB ENOEXEC", text(failure));
        assertTrue(failure.getMessage().startsWith("empty: BLOB")
                && failure.getMessage().contains("an empty blob is no program"));
    }

    @Test
    void programOfAnotherArchitectureFailsWithEnoexec() throws Exception {
        byte[] program = DriverBlobs.probe();
        program[18] = 0x26; // e_machine: an Alpha's
        program[19] = (byte) 0x90;
        assertEquals("EXEC ENOEXEC", text(failure(program)));
    }

    @ParameterizedTest
    @CsvSource({
        "text without an interpreter, EXEC ENOEXEC",
        "#!/no/such/interpreter, EXEC ENOENT",
        "#!/etc, EXEC EACCES"
    })
    void invalidProgramFailsWithTheErrnoOfTheKernel(String text, String failure) throws Exception {
        assertEquals(failure, text(failure(text.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void scriptGetsItsArgumentsAndItsText() throws Exception {
        byte[] script = DriverBlobs.script("echo \"$#: $1 $2\"", "tail -n 1 \"$0\"", "# the last line");
        try (UsermodeDriver driver = UsermodeDriver.load("script", script).arguments("a", "b c")) {
            assertEquals("2: a b c\n# the last line\n", output(driver));
        }
    }

    @Test
    void scriptReadsItsPipe() throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load("script", DriverBlobs.script("read line", "echo got $line"))) {
            driver.fork();
            driver.pipeToUmh().stream().write("it\n".getBytes(StandardCharsets.UTF_8));
            assertEquals("got it\n", new String(driver.pipeFromUmh().stream().readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    @RequiresRoot
    void scriptRunsAsAnotherUser() throws Exception {
        try (UsermodeDriver driver = UsermodeDriver.load("script", DriverBlobs.script("id -u"))
                .environment("PATH=/usr/bin:/bin")
                .task(Task.defaults().cred(Cred.defaults().uid(65_534).gid(65_534)))) {
            assertEquals("65534\n", output(driver));
        }
    }

    /** The program is in no directory, so a landlock rule set without rules does not restrict it. */
    @Test
    void landlockDoesNotHideTheDriversProgram() throws Exception {
        Need.LANDLOCK.orSkip();
        try (UsermodeDriver driver = DriverBlobs.doing("print", "confined")
                .task(Task.defaults()
                        .cred(Cred.defaults().noNewPrivs())
                        .sandbox(Sandbox.defaults().landlock()))) {
            assertEquals("confined\n", output(driver));
        }
    }

    /** Nothing is open in a script's process but its pipes and the script. */
    @Test
    void onlyTheScriptStaysOpen() throws Exception {
        String list = "for fd in /proc/$$/fd/*; do readlink $fd; done";
        try (UsermodeDriver driver = UsermodeDriver.load("script", DriverBlobs.script(list))
                .environment("PATH=/usr/bin:/bin")
                .task(Task.defaults()
                        .descriptors(org.umh4j.task.Descriptors.none().devNull(2)))) {
            String open = output(driver).replaceAll("pipe:\\[\\d+]", "pipe");
            assertTrue(open.startsWith("pipe\npipe\n") || open.contains("\npipe\npipe\n"), open);
            long others = open.lines()
                    .filter(line ->
                            !line.equals("pipe") && !line.equals("/dev/null") && !line.startsWith("/memfd:script"))
                    .count();
            assertEquals(0, others, open);
        }
    }

    /** Without leave even to root, which may open any file. */
    @Test
    void programIsSealedAgainstWrites() throws Exception {
        try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
            driver.fork();
            String own = "/proc/" + driver.tgid() + "/exe";
            String loaded = blobOf("probe");
            for (String path : new String[] {own, loaded}) {
                IOException failure = assertThrows(IOException.class, () -> overwrite(path));
                assertTrue(
                        failure.getMessage().matches(".*(Operation not permitted|Text file busy|Permission denied).*"),
                        failure.getMessage());
            }
            driver.kill();
            driver.onExit().get(DriverBlobs.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertEquals("still itself\n", output(driver.arguments("print", "still itself")));
        }
    }

    private static void overwrite(String path) throws IOException {
        try (FileOutputStream out = new FileOutputStream(path, true)) {
            out.write(0);
        }
    }

    /** This JVM's descriptor of a loaded driver. */
    private static String blobOf(String name) throws IOException {
        try (var fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : fds) {
                if (Files.isSymbolicLink(fd)
                        && Files.readSymbolicLink(fd).toString().startsWith("/memfd:" + name + " ")) {
                    return fd.toString();
                }
            }
        }
        throw new AssertionError("no memfd of " + name);
    }

    @Test
    void programOfAHundredMebibytesRuns() throws Exception {
        InputStream large =
                new SequenceInputStream(new ByteArrayInputStream(DriverBlobs.probe()), new Zeros(100L * MIB));
        try (UsermodeDriver driver = UsermodeDriver.named("large")) {
            driver.load(large);
            assertEquals("large\n", output(driver.arguments("print", "large")));
        }
    }

    private static final class Zeros extends InputStream {
        private long left;

        Zeros(long size) {
            left = size;
        }

        @Override
        public int read() {
            return left-- > 0 ? 0 : -1;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) {
            int size = (int) Math.min(length, left);
            left -= size;
            return size == 0 && length > 0 ? -1 : size;
        }
    }

    @Test
    void unreadableProgramLeaksNothing() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        InputStream broken = new SequenceInputStream(new ByteArrayInputStream(DriverBlobs.probe()), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("broken");
            }
        });
        UsermodeDriver driver = UsermodeDriver.named("broken");
        assertEquals(
                "broken",
                assertThrows(IOException.class, () -> driver.load(broken)).getMessage());
        Leaks.assertNothingLeft(before);
    }

    @Test
    void loadingAndUnloadingLeaksNothing() throws Exception {
        TreeMap<String, Long> before = Leaks.descriptors();
        for (int i = 0; i < 1_000; i++) {
            try (UsermodeDriver driver = DriverBlobs.doing("pause")) {
                if (i % 10 == 0) {
                    driver.fork();
                }
            }
        }
        Leaks.assertNothingLeft(before);
    }

    /** The launcher waits until the pid has been noted; what it waits in is read(2) of the plan socket. */
    @Test
    @RequiresRoot
    void pidIsKnownBeforeTheFirstInstruction() throws Exception {
        Blob blob = Blob.load("held".getBytes(), new ByteArrayInputStream(DriverBlobs.probe()))
                .blob();
        try {
            SubprocessInfo info = SubprocessInfo.of(blob, "held", HELD, new byte[0][]);
            StringBuilder seen = new StringBuilder();
            info.onCreated(pid -> seen.append(programOnceItWaits(pid)));
            try (Helper helper = UsermodeHelper.start(info)) {
                assertEquals("/memfd:umh4j-launcher (deleted)", seen.toString());
                assertEquals(
                        "/memfd:held (deleted)",
                        Files.readSymbolicLink(Path.of("/proc/" + helper.pid() + "/exe"))
                                .toString());
            }
        } finally {
            blob.close();
        }
    }

    @Test
    void driverKilledBeforeItBeginsExecutesNothing() throws Exception {
        Blob blob = Blob.load("held".getBytes(), new ByteArrayInputStream(DriverBlobs.probe()))
                .blob();
        try {
            SubprocessInfo info = SubprocessInfo.of(blob, "held", HELD, new byte[0][]);
            info.onCreated(DriverProgramTest::kill);
            UmhException failure = assertThrows(UmhException.class, () -> UsermodeHelper.start(info));
            assertEquals("KILLED EINTR 9", text(failure) + " " + failure.detail());
        } finally {
            blob.close();
        }
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        try {
            assertTrue(DriverBlobs.ends(pid));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String programOnceItWaits(long pid) {
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DriverBlobs.PATIENCE_SECONDS);
            while (!Files.readString(Path.of("/proc/" + pid + "/syscall")).startsWith("0 0x3 ")) {
                assertTrue(System.nanoTime() < deadline, "the launcher does not wait");
            }
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/exe")).toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** The setting is that of a pid namespace; so the host's stays as it is. */
    @ParameterizedTest
    @RequiresRoot
    @ValueSource(ints = {1, 2})
    void driversRunWithoutExecutableMemfds(int memfdNoexec, @TempDir Path folder) throws Exception {
        assertEquals(
                "elf\nscript\n" + (memfdNoexec == 1 ? "/memfd:d (deleted)" : "/d") + "\nread-only\n",
                strictJvm(memfdNoexec, folder).run(PrintMain.class).requireSuccess());
    }

    @Test
    @RequiresRoot
    void errorNamesTheRemedyIfNoWayIsLeft(@TempDir Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        String out = strictJvm(2, folder, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
                .readableByAll()
                .run(RefusedMain.class)
                .requireSuccess();
        assertTrue(out.startsWith("d: BLOB failed with EACCES"), out);
        assertTrue(out.contains("vm.memfd_noexec") && out.contains("CAP_SYS_ADMIN"), out);
    }

    @Test
    void onlyARegularFileIsReadAsAProgram(@TempDir Path folder) throws Exception {
        Path fifo = folder.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        for (Path path : List.of(fifo, folder, Path.of("/dev/null"))) {
            UmhException failure = assertThrows(UmhException.class, () -> UsermodeDriver.load("d", path));
            assertEquals("BLOB EACCES", failure.stage() + " " + failure.errnoName(), path.toString());
        }
    }

    /** The root of a rootless container could write the file, and be executed as the JVM's user by the next start. */
    @Test
    @RequiresRoot
    void errorNamesWhatTheLauncherNeedsWithoutCapSysAdmin(@TempDir Path folder) throws Exception {
        Jvm.Outcome outcome =
                strictJvm(2, folder, "setpriv", "--bounding-set=-sys_admin").run(RefusedMain.class);
        assertTrue(outcome.err().contains("vm.memfd_noexec") && outcome.err().contains("CAP_SYS_ADMIN"), outcome.err());
    }

    private static Jvm strictJvm(int memfdNoexec, Path folder, String... inside) throws IOException {
        Path launcher = Files.write(folder.resolve("launcher"), LibraryFile.resource("launcher.elf"));
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Jvm()
                .under(inside)
                .after("echo " + memfdNoexec + " > /proc/sys/vm/memfd_noexec")
                .under("unshare", "--pid", "--fork", "--mount-proc")
                .option("-D" + NativeLibrary.LAUNCHER_PROPERTY + "=" + launcher);
    }

    /** Prints the output of drivers, and the location of their program. */
    static final class PrintMain {
        public static void main(String[] arguments) throws Exception {
            try (UsermodeDriver driver = UsermodeDriver.load("d", DriverBlobs.probe())) {
                System.out.print(output(driver.arguments("print", "elf")));
            }
            var before = Leaks.descriptors(); // all is loaded that is loaded once
            try (UsermodeDriver driver = UsermodeDriver.load("d", DriverBlobs.script("echo script"))) {
                System.out.print(output(driver));
            }
            try (UsermodeDriver driver =
                    UsermodeDriver.load("d", DriverBlobs.probe()).arguments("pause")) {
                driver.fork();
                String program = "/proc/" + driver.tgid() + "/exe";
                System.out.println(Files.readSymbolicLink(Path.of(program)));
                try {
                    overwrite(program);
                } catch (IOException e) {
                    System.out.println("read-only");
                }
            }
            Leaks.assertNothingLeft(before);
        }
    }

    /** Prints why nothing can be loaded. */
    static final class RefusedMain {
        public static void main(String[] arguments) throws Exception {
            try {
                UsermodeDriver.load("d", DriverBlobs.probe()).close();
                System.out.println("loaded");
            } catch (UmhException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
