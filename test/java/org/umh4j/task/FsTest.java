// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.umh4j.linux.Capability.CAP_CHOWN;
import static org.umh4j.linux.Capability.CAP_DAC_READ_SEARCH;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.RunResult;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Securebit;
import org.umh4j.support.Amended;
import org.umh4j.support.Filter;
import org.umh4j.support.Jvm;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Need;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.support.Shell;

/**
 * A helper's working directory and program are looked up below its root, and with the helper's identity.
 *
 * <p>The helper's tree has the directories of the JVM's tree too, so that each path exists in both; a file in each
 * directory identifies the tree.
 */
@RequiresRoot
final class FsTest {
    /** The same for each JVM of a test. */
    private static final Path BOTH = Path.of(System.getProperty("test.trees", ProbeProgram.FOLDER.toString()));

    private static final Path TREE = BOTH.resolve("tree");
    private static final Path OUTSIDE = BOTH.resolve("outside");
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Cred CRED = Cred.defaults();

    /** Where a path leads whose last part is a link of /proc, as far as there are such. */
    private static final List<String> MAGIC = magic();

    @BeforeAll
    static void makeTrees() throws Exception {
        for (Path tree : List.of(TREE, OUTSIDE)) {
            for (String folder : new String[] {"data/in", "proc", "mnt"}) {
                Files.createDirectories(tree.resolve(folder));
            }
            for (String folder : new String[] {".", "data", "data/in", "mnt"}) {
                Files.writeString(tree.resolve(folder).resolve("mark"), tree == TREE ? "inside" : "OUTSIDE");
            }
            NativeProgram.compileStatic("where", tree);
            Files.createSymbolicLink(tree.resolve("absolute"), Path.of("/data"));
            Files.createSymbolicLink(tree.resolve("up"), Path.of("../../../../../../../../../data"));
            Files.createSymbolicLink(tree.resolve("chain"), Path.of("absolute/in/../in"));
            Files.createSymbolicLink(tree.resolve("loop"), Path.of("loop"));
        }
        for (int i = 0; i < MAGIC.size(); i++) {
            Files.createSymbolicLink(TREE.resolve("magic" + i), Path.of(MAGIC.get(i)));
        }
    }

    private static List<String> magic() {
        List<String> links = new ArrayList<>();
        for (int fd = 0; fd < 12; fd++) {
            links.add("/proc/self/fd/" + fd);
        }
        for (String process : new String[] {"self", "thread-self", "1"}) {
            links.add("/proc/" + process + "/root");
            links.add("/proc/" + process + "/cwd");
            links.add("/proc/" + process + "/root/" + OUTSIDE);
        }
        links.add("/proc/self/fd/../root");
        links.add("/proc/self/task/../cwd/../../proc/self/root/");
        return links;
    }

    /** Ways to a working directory, and what comes of them with another root. */
    @ParameterizedTest
    @CsvSource({
        "/, / inside",
        "., / inside",
        "data, /data inside",
        "data/in, /data/in inside",
        "/data/in/.., /data inside",
        "../../data, /data inside",
        "../../../../../../../.., / inside",
        "data/../../../../data, /data inside",
        "absolute, /data inside",
        "/absolute, /data inside",
        "up, /data inside",
        "chain, /data/in inside",
        "chain/../../.., / inside",
        "/data/, /data inside",
        "/proc/self, CWD ENOENT",
        "loop, CWD ELOOP",
        "mark, CWD ENOTDIR",
        "no, CWD ENOENT",
        "'', CWD ENOENT",
    })
    void workingDirectoryIsLookedUpBelowTheRoot(String cwd, String expected) throws Exception {
        assertEquals(expected, where(fs -> fs.root(TREE.toString()).cwd(cwd), "/where"));
    }

    /** The output of a JVM outside, while the helper's tree has another /proc or none. */
    private static String inMounts(Class<?> main, String... arguments) throws Exception {
        return standingOutside().run(main, arguments).requireSuccess();
    }

    private static Jvm standingOutside() {
        String mounts = "mount -t proc proc " + TREE + "/proc && cd " + OUTSIDE;
        return jvm().after(mounts).under("unshare", "--mount", "--propagation", "private");
    }

    private static Jvm jvm() {
        return new Jvm().option("-Dtest.trees=" + BOTH).shortLived();
    }

    @ParameterizedTest
    @ValueSource(strings = {"root", "join", "both", "neither"})
    void linkOfProcIsRefusedInEachPosition(String setting) throws Exception {
        assertEquals("", inMounts(MagicMain.class, setting, "ELOOP"));
    }

    /** Then such a link is followed, and refused when it has led out. */
    @ParameterizedTest
    @ValueSource(strings = {"ENOSYS", "EPERM"})
    void kernelWithoutOpenat2KeepsTheWorkingDirectoryInTheRoot(String errno) throws Exception {
        List<String> command = standingOutside().command(MagicMain.class, "root", "any");
        SubprocessInfo info = SubprocessInfo.of(
                        "/usr/bin/env", env(command), new String[] {"PATH=/usr/sbin:/usr/bin:/bin"})
                .task(Task.defaults()
                        .cred(CRED.noNewPrivs())
                        .sandbox(Sandbox.defaults()
                                .seccomp(Filter.refusing(
                                        "openat2", Errno.valueOf(errno).number()))));
        RunResult result = UsermodeHelper.run(info, Duration.ofSeconds(90));
        assertEquals("", result.requireSuccess().stdoutText());
    }

    private static String[] env(List<String> command) {
        List<String> all = new ArrayList<>(List.of("env"));
        all.addAll(command);
        return all.toArray(String[]::new);
    }

    /** Prints each path that led out of the root, or that led anywhere instead of being refused. */
    static final class MagicMain {
        public static void main(String[] arguments) throws Exception {
            boolean joins = List.of("join", "both").contains(arguments[0]);
            boolean roots = List.of("root", "both").contains(arguments[0]);
            String tree = joins ? "/mnt" : TREE.toString();
            try (Helper host = joins ? otherMounts() : null) {
                for (int i = 0; i <= MAGIC.size(); i++) {
                    for (String cwd : ways(i, roots ? "" : tree)) {
                        SubprocessInfo info =
                                call(roots ? "/where" : tree + "/where", fs -> (roots ? fs.root(tree) : fs).cwd(cwd));
                        if (arguments[1].equals("ELOOP")) { // an older kernel has no landlock
                            info.task(info.task()
                                    .sandbox(Sandbox.defaults().readWrite("/"))
                                    .cred(CRED.noNewPrivs()));
                        }
                        if (host != null) {
                            info.task(info.task()
                                    .namespaces(NamespaceSetup.defaults().join(host.pid(), Namespace.MOUNT)));
                        }
                        report(cwd, outcome(info), arguments[1]);
                    }
                }
            }
        }

        private static List<String> ways(int i, String tree) {
            if (i == MAGIC.size()) {
                String jvm = "/proc/" + ProcessHandle.current().pid();
                return List.of(
                        jvm + "/root", jvm + "/cwd", jvm + "/fd/0", jvm + "/root" + OUTSIDE, tree + jvm + "/cwd/..");
            }
            return List.of(MAGIC.get(i), tree + "/magic" + i, tree + "/data/../magic" + i + "/.");
        }

        private static void report(String cwd, String outcome, String expected) {
            boolean refused = outcome.matches("CWD (ELOOP|ENOENT|ENOTDIR|EACCES|EXDEV)");
            boolean inside = expected.equals("any") && outcome.startsWith("/") && !outcome.contains("OUTSIDE");
            if (!refused && !inside) {
                System.out.println(cwd + ": " + outcome);
            }
        }

        /** A process in a mount namespace that has the tree at /mnt. */
        private static Helper otherMounts() throws IOException {
            String script = "mount --bind " + TREE + " /mnt && mount -t proc proc /mnt/proc && echo there && read end";
            Helper helper = UsermodeHelper.start(Amended.task(
                    Shell.piped(script),
                    task -> task.namespaces(NamespaceSetup.defaults().unshare(Namespace.MOUNT))));
            assertEquals('t', helper.stdout().read());
            return helper;
        }
    }

    @Test
    void relativeWorkingDirectoryIsThatOfTheJvm() throws Exception {
        assertEquals(OUTSIDE + "/data OUTSIDE\n/data inside\nCWD ENOENT\n", inMounts(RelativeMain.class));
    }

    /** In the JVM's tree, in another one, and from a deleted directory. */
    static final class RelativeMain {
        public static void main(String[] arguments) throws Exception {
            System.out.println(where(fs -> fs.cwd("data"), OUTSIDE + "/where"));
            System.out.println(where(fs -> fs.root(TREE.toString()).cwd("data"), "/where"));
            Path folder = Files.createDirectory(OUTSIDE.resolve("deleted"));
            List<String> command = jvm().after("cd " + folder).command(DeletedMain.class);
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            System.out.print(new String(process.getInputStream().readAllBytes()));
        }
    }

    /** A JVM whose working directory was deleted. */
    static final class DeletedMain {
        public static void main(String[] arguments) throws Exception {
            Files.delete(OUTSIDE.resolve("deleted"));
            System.out.println(where(fs -> fs.cwd("."), TREE + "/where"));
        }
    }

    /** Mode, owner and group of a directory, the helper, and whether it may enter. */
    @ParameterizedTest
    @CsvSource({
        "0700, 0, 0, nobody, false",
        "0755, 0, 0, nobody, true",
        "0700, 65534, 0, nobody, true",
        "0750, 0, 65534, nobody, true",
        "0750, 0, 12, nobody, false",
        "0750, 0, 12, nobody of 12, true",
        "0705, 0, 65534, nobody, false",
        "0700, 0, 0, nobody who searches, true",
        "0700, 0, 0, nobody permitted to search, false",
        "0700, 65534, 0, root, true",
        "0700, 65534, 0, root of nothing, false",
        "0700, 65534, 0, root of bounded capabilities, false",
        "0700, 65534, 0, root without its privilege, false",
        "0700, 0, 0, root of nothing, true",
    })
    void workingDirectoryIsEnteredAsTheHelper(String mode, int uid, int gid, String who, boolean enters)
            throws Exception {
        for (boolean above : new boolean[] {false, true}) { // the directory itself, or one above it
            Path folder = Files.createTempDirectory(ProbeProgram.FOLDER, "owned");
            Path in = Files.createDirectory(folder.resolve("in"));
            Files.setPosixFilePermissions(in, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.setAttribute(folder, "unix:mode", Integer.parseInt(mode, 8));
            Files.setAttribute(folder, "unix:uid", uid);
            Files.setAttribute(folder, "unix:gid", gid);
            String cwd = (above ? in : folder).toString();
            assertEquals(
                    enters ? cwd + " none" : "CWD EACCES", where(fs -> fs.cwd(cwd), TREE + "/where", cred(who)), cwd);
            assertEquals(
                    enters ? "/" + folder.relativize(Path.of(cwd)) + " none" : "CWD EACCES",
                    where(fs -> fs.root(folder.toString()).cwd(above ? "in" : "."), null, cred(who))
                            .replace("//", "/"));
        }
    }

    private static Cred cred(String who) {
        CapabilitySet search = CapabilitySet.of(CAP_DAC_READ_SEARCH);
        Cred nobody = CRED.uid(65_534).gid(65_534).groups(new long[0]);
        return switch (who) {
            case "nobody" -> nobody;
            case "nobody of 12" -> nobody.groups(12);
            case "nobody who searches" -> nobody.capabilities(search);
            case "nobody permitted to search" -> nobody.permitted(search);
            case "root of nothing" -> CRED.capabilities(CapabilitySet.NONE);
            case "root of bounded capabilities" -> CRED.bounding(CapabilitySet.of(CAP_CHOWN));
            case "root without its privilege" -> CRED.securebits(Securebit.NOROOT);
            default -> CRED;
        };
    }

    /** As on a network file system that does not know root. */
    @Test
    void helperEntersADirectoryThatTheJvmMayNot() throws Exception {
        Path folder = Files.createTempDirectory(ProbeProgram.FOLDER, "squashed");
        Files.setAttribute(folder, "unix:uid", 65_534);
        Jvm jvm = jvm().under("setpriv", "--bounding-set=-dac_override,-dac_read_search");
        String out = jvm.run(SquashedMain.class, folder.toString()).requireSuccess();
        assertEquals("CWD EACCES\n" + folder + " none\n", out);
    }

    /** As root, and as the owner of the directory. */
    static final class SquashedMain {
        public static void main(String[] arguments) throws Exception {
            for (Cred cred : List.of(CRED, cred("nobody"))) {
                System.out.println(where(fs -> fs.cwd(arguments[0]), TREE + "/where", cred));
            }
        }
    }

    @Test
    void workingDirectoryTakesNoDescriptorOfTheHelper() throws Exception {
        for (int limit = 0; limit < 5; limit++) {
            SubprocessInfo info = call("/where", fs -> fs.root(TREE.toString()).cwd("data"));
            info.task(info.task().limits(Limits.defaults().rlimit(Rlimit.NOFILE, limit)));
            assertEquals(limit < 4 ? "/data none" : "/data inside", outcome(info));
        }
    }

    private static final String PROGRAMS = """
            /where: /data inside
            ../where: /data inside
            ../../../where: /data inside
            /data/../where: /data inside
            /link: /data inside
            ./where: EXEC ENOENT
            /proc/self/exe: EXEC ELOOP
            /proc/self/root/where: EXEC ELOOP
            /proc/self/cwd/../where: EXEC ELOOP
            /proc/JVM/root/bin/true: EXEC ELOOP
            /linked/root/where: EXEC ELOOP
            /loop: EXEC ELOOP
            /no: EXEC ENOENT
            /data: EXEC EACCES
            """;

    @Test
    void programIsLookedUpBelowTheRoot() throws Exception {
        Files.createSymbolicLink(TREE.resolve("link"), Path.of("data/../where"));
        Files.createSymbolicLink(TREE.resolve("linked"), Path.of("/proc/self"));
        assertEquals(PROGRAMS, inMounts(ProgramMain.class));
    }

    /** Programs in the tree that has a /proc. */
    static final class ProgramMain {
        public static void main(String[] arguments) throws Exception {
            for (String line : PROGRAMS.split("\n")) {
                String program = line.substring(0, line.indexOf(':'));
                String path = program.replace(
                        "JVM", Long.toString(ProcessHandle.current().pid()));
                System.out.println(
                        program + ": " + where(fs -> fs.root(TREE.toString()).cwd("data"), path));
            }
        }
    }

    /** Their files are in the helper's tree only. */
    @ParameterizedTest
    @CsvSource({
        "/data, /data inside",
        "/up, /data inside",
        "../../../data, /data inside",
        "/data/in, /data none",
        "/magic12, LANDLOCK ELOOP",
        "/magic14, LANDLOCK ELOOP",
        "/no, LANDLOCK ENOENT",
    })
    void landlockRuleIsLookedUpBelowTheRoot(String path, String expected) throws Exception {
        Need.LANDLOCK.orSkip();
        assertEquals(expected + "\n", inMounts(LandlockMain.class, path));
    }

    /** A helper that may execute its program and read below a path. */
    static final class LandlockMain {
        public static void main(String[] arguments) throws Exception {
            System.out.println(outcome(Amended.task(
                    call("/where", fs -> fs.root(TREE.toString()).cwd("data")),
                    task -> task.cred(CRED.noNewPrivs())
                            .sandbox(Sandbox.defaults().readOnly("/where").readOnly(arguments[0])))));
        }
    }

    private static SubprocessInfo call(String program, UnaryOperator<Fs> place) {
        return SubprocessInfo.of(program, new String[] {"where"}, new String[0])
                .task(Task.defaults().fs(place.apply(Fs.defaults())));
    }

    private static String where(UnaryOperator<Fs> place, String program) throws Exception {
        return outcome(call(program, place));
    }

    /** With a program that is not looked up where it is null. */
    private static String where(UnaryOperator<Fs> place, String program, Cred cred) throws Exception {
        if (program != null) {
            return outcome(Amended.task(call(program, place), task -> task.cred(cred)));
        }
        try (UsermodeDriver driver = UsermodeDriver.load("where", Files.readAllBytes(TREE.resolve("where")))
                .task(Task.defaults().fs(place.apply(Fs.defaults())).cred(cred))) {
            driver.fork();
            String output = new String(driver.pipeFromUmh().stream().readAllBytes()).trim();
            driver.onExit().get(LONG.toSeconds(), TimeUnit.SECONDS);
            return output;
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }

    private static String outcome(SubprocessInfo info) throws Exception {
        try {
            RunResult result = UsermodeHelper.run(info, LONG);
            return result.status().success()
                    ? result.stdoutText().trim()
                    : result.status().toString();
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        }
    }
}
