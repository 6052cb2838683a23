// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.linux.UmhStage;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/**
 * Invalid input is rejected with the name of the field and the limit, or fails with the errno of the kernel at its
 * stage.
 */
@ExtendWith(Leaks.class)
final class InvalidInputTest {
    private static final String[] NONE = {};

    private static UmhException failure(SubprocessInfo info, UmhWait wait) {
        int retval = UsermodeHelper.exec(info, wait);
        UmhException failure = info.failure().orElseThrow(() -> new AssertionError("answered " + retval));
        assertEquals(failure.retval(), retval);
        return failure;
    }

    @Test
    void stringWithNulIsRejectedByName() {
        String nul = "a\0b";
        assertMessage("path has a NUL at byte 1", () -> SubprocessInfo.of(nul, new String[] {"x"}, NONE));
        assertMessage("argv[1] has a NUL", () -> SubprocessInfo.of("/x", new String[] {"x", nul}, NONE));
        assertMessage("envp[0] has a NUL", () -> SubprocessInfo.of("/x", new String[] {"x"}, new String[] {nul}));
        byte[][] bytes = {{'x'}, {1, 0}};
        assertMessage("argv[1] has a NUL", () -> SubprocessInfo.of(new byte[] {'/'}, bytes, null));
        assertMessage("path has a NUL", () -> Descriptors.none().open(0, nul, StandardOpenOption.READ));
    }

    /** No name, no value, an empty string, the same twice: each variable is passed on, and none ends the list. */
    @Test
    void unusualVariablesArriveUnchanged() throws Exception {
        String[] odd = {"=x", "A=1=2", "noequal", "", "B=2", "A=3"};
        SubprocessInfo info = SubprocessInfo.of("/bin/cat", new String[] {"cat", "/proc/self/environ"}, odd);
        assertEquals(
                String.join("\0", odd) + "\0",
                UsermodeHelper.run(info, Await.PATIENCE).stdoutText());
    }

    private static void assertMessage(String part, org.junit.jupiter.api.function.Executable refused) {
        String message = assertThrows(IllegalArgumentException.class, refused).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void nullStringIsRejectedByName() {
        assertEquals(
                "argv[1]",
                assertThrows(NullPointerException.class, () -> SubprocessInfo.of("/x", new String[] {"x", null}, NONE))
                        .getMessage());
    }

    @Test
    void unencodableCharactersAreRejected() throws Exception {
        Jvm.Outcome outcome = new Jvm()
                .variable("LC_ALL=C")
                .option("-Dsun.jnu.encoding=US-ASCII")
                .run(UmlautMain.class);
        assertEquals(
                "argv[1] has a character that is not in the system's encoding US-ASCII; pass it as bytes\n",
                outcome.requireSuccess());
    }

    /** Passes an umlaut in a JVM that can't encode it. */
    static final class UmlautMain {
        public static void main(String[] arguments) {
            try {
                SubprocessInfo.of("/x", new String[] {"x", "\u00e4"}, null);
            } catch (IllegalArgumentException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void bytesArriveUnchanged() throws IOException {
        Path out = ProbeProgram.FOLDER.resolve("bytes.json");
        byte[][] argv = {bytes("probe"), bytes("--out"), bytes(out.toString()), bytes("exit"), {'0', (byte) 0xff, 1}};
        SubprocessInfo info = SubprocessInfo.of(bytes(ProbeProgram.path()), argv, null);
        assertEquals(0, UsermodeHelper.exec(info, UmhWait.PROC));
        assertEquals(
                "0\u00ff\u0001",
                org.umh4j.support.Report.read(out).get("argv").get(4).asText());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void emptyArgvFailsWithEinval() {
        for (UmhWait wait : List.of(UmhWait.EXEC, UmhWait.PROC, UmhWait.PROC.killable())) {
            UmhException failure = failure(SubprocessInfo.of("/bin/true", NONE, NONE), wait);
            assertEquals(UmhStage.SETUP, failure.stage());
            assertEquals("EINVAL", failure.errnoName());
        }
    }

    @Test
    void nullOrEmptyPathFailsToStart() {
        UmhException none = assertThrows(
                UmhException.class,
                () -> UsermodeHelper.start(SubprocessInfo.of((String) null, new String[] {"x"}, NONE)));
        assertEquals("EINVAL", none.errnoName());
        UmhException empty = assertThrows(
                UmhException.class, () -> UsermodeHelper.start(SubprocessInfo.of("", new String[] {"x"}, NONE)));
        assertEquals(UmhStage.SETUP, empty.stage());
    }

    @Test
    void tooLongPathFailsWithEnametoolong() {
        String path = "/" + "x/".repeat(2_100);
        UmhException failure = failure(SubprocessInfo.of(path, new String[] {"x"}, NONE), UmhWait.PROC);
        assertEquals(UmhStage.EXEC, failure.stage());
        assertEquals("ENAMETOOLONG", failure.errnoName());
        failure = failure(SubprocessInfo.of("/" + "x".repeat(300), new String[] {"x"}, NONE), UmhWait.PROC);
        assertEquals("ENAMETOOLONG", failure.errnoName());
    }

    @Test
    void argumentOf128KiBFailsWithE2big() {
        for (UmhWait wait : List.of(UmhWait.EXEC, UmhWait.PROC, UmhWait.PROC.killable())) {
            String argument = "x".repeat(128 << 10);
            UmhException failure = failure(SubprocessInfo.of("/bin/true", new String[] {"x", argument}, NONE), wait);
            assertEquals(UmhStage.LAUNCH, failure.stage());
            assertEquals("E2BIG", failure.errnoName());
            assertTrue(failure.getMessage().contains("128 KiB"), failure.getMessage());
        }
    }

    @Test
    void argumentJustBelow128KiBArrives() {
        String argument = "x".repeat((128 << 10) - 1);
        assertEquals(0, UsermodeHelper.call("/bin/true", new String[] {"x", argument}, NONE, UmhWait.PROC));
    }

    @Test
    void environmentOfSeveralMiBFailsWithE2big() {
        String[] environment = new String[100];
        Arrays.fill(environment, "V=" + "x".repeat(100 << 10));
        UmhException failure = failure(SubprocessInfo.of("/bin/true", new String[] {"x"}, environment), UmhWait.PROC);
        assertEquals(UmhStage.LAUNCH, failure.stage());
        assertEquals("E2BIG", failure.errnoName());
    }

    @Test
    void environmentOfOneMiBArrives() {
        String[] environment = new String[1024];
        Arrays.fill(environment, "V=" + "x".repeat(1000));
        assertEquals(0, UsermodeHelper.call("/bin/true", new String[] {"x"}, environment, UmhWait.PROC));
    }

    @Test
    void descriptorOutOfRangeIsRejected() {
        assertMessage(
                "descriptor -1 is not in 0 to 65535", () -> Descriptors.none().devNull(-1));
        assertMessage(
                "descriptor 65536 is not in 0 to 65535",
                () -> Descriptors.none().devNull(65_536));
        assertMessage("descriptor -3 is negative", () -> Descriptors.none().inherit(0, -3));
    }

    @Test
    void closedDescriptorFailsWithEbadf() {
        UmhException failure = failure(
                ProbeProgram.doing("exit", "0")
                        .task(Task.defaults()
                                .descriptors(Descriptors.inheritIO().inherit(7, 9_999))),
                UmhWait.PROC);
        assertEquals(UmhStage.SOURCE, failure.stage());
        assertEquals("EBADF", failure.errnoName());
        assertEquals(7, failure.detail());
    }

    @Test
    void unknownWaitFlagIsRejected() {
        assertThrows(IllegalArgumentException.class, () -> new UmhWait(16));
    }

    @Test
    void emfileIsReportedAndTheNextCallWorks() throws Exception {
        Jvm.Outcome outcome = new Jvm().under("prlimit", "--nofile=120:120").run(EmfileMain.class);
        assertEquals("SOCKET EMFILE\n0\n", outcome.requireSuccess());
    }

    /** Uses up every descriptor, starts, gives one back, starts. */
    static final class EmfileMain {
        public static void main(String[] arguments) throws IOException {
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            List<java.io.FileInputStream> open = new ArrayList<>();
            try {
                while (true) {
                    open.add(new java.io.FileInputStream("/dev/null"));
                }
            } catch (IOException e) {
                SubprocessInfo info = ProbeProgram.doing("exit", "0");
                UsermodeHelper.exec(info, UmhWait.EXEC);
                UmhException failure = info.failure().orElseThrow();
                for (java.io.FileInputStream file : open) {
                    file.close();
                }
                System.out.println(failure.stage() + " " + failure.errnoName());
            }
            System.out.println(UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.EXEC));
        }
    }

    @Test
    @RequiresRoot
    void pidLimitFailsWithEagainAtClone() throws Exception {
        Path group = pidsGroup();
        if (group == null) {
            Need.PIDS_CONTROLLER.missing();
        }
        try {
            Jvm.Outcome outcome = new Jvm()
                    .after("echo $$ > " + group.resolve("cgroup.procs"))
                    .run(PidLimitMain.class, group.resolve("pids.max").toString());
            assertEquals("CLONE EAGAIN\nCLONE EAGAIN\n0\n", outcome.requireSuccess());
        } finally {
            Files.deleteIfExists(group);
        }
    }

    private static Path pidsGroup() throws IOException {
        for (String root : List.of("/sys/fs/cgroup/pids", "/sys/fs/cgroup")) {
            Path group = Path.of(root, "umh4j-test-" + ProcessHandle.current().pid());
            try {
                Files.createDirectory(group);
                if (Files.exists(group.resolve("pids.max"))) {
                    return group;
                }
                Files.delete(group);
            } catch (IOException e) {
                // not mounted, or not ours
            }
        }
        return null;
    }

    /** Sets the limit below what is running, starts, lifts it, starts. */
    static final class PidLimitMain {
        public static void main(String[] arguments) throws IOException {
            UsermodeHelper.start(ProbeProgram.doing("exit", "0")).close(); // the library has its thread
            Path limit = Path.of(arguments[0]);
            Files.writeString(limit, "1");
            for (UmhWait wait : List.of(UmhWait.PROC, UmhWait.EXEC)) {
                SubprocessInfo info = ProbeProgram.doing("exit", "0");
                UsermodeHelper.exec(info, wait);
                UmhException failure = info.failure().orElseThrow();
                System.out.println(failure.stage() + " " + failure.errnoName());
            }
            Files.writeString(limit, "max");
            System.out.println(UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC));
        }
    }
}
