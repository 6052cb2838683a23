// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.Helper;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Task;
import picocli.CommandLine;

/** Every option that a helper can be given, by what the helper then reports; the names are a contract. */
@RequiresRoot
@ExtendWith(Leaks.class)
final class OptionsTest {
    /** {@code BPF_RET | BPF_K, SECCOMP_RET_ALLOW}. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    /** Options, and what a field of the report then has in it, and would not have without them. */
    record Given(String field, String expected, String... options) {
        @Override
        public String toString() {
            return String.join(" ", options);
        }
    }

    private static Given given(String field, String expected, String... options) {
        return new Given(field, expected, options);
    }

    static Stream<Given> identity() {
        String[] able = {"--cap-permitted", "cap_kill", "--cap-inheritable", "cap_kill", "--cap-ambient", "cap_kill"};
        return Stream.of(
                given("uids_ruid_euid_suid", "[65534,65534,65534]", "--uid", "65534", "--keep-gid", "--keep-groups"),
                given("nice", "5", "--nice", "5", "--allow-unapplied", "nice", "--require-applied", "keyring"),
                given(
                        "uids_ruid_euid_suid",
                        "[1,2,2]",
                        "--uid",
                        "1:2:3",
                        "--keep-gid"), // an execve saves the effective one
                given("gids_rgid_egid_sgid", "[65534,65534,65534]", "--uid", "nobody"),
                given("gids_rgid_egid_sgid", "[65534,65534,65534]", "--gid", "65534"),
                given("gids_rgid_egid_sgid", "[1,2,2]", "--gid", "1:2:3"),
                given("gids_rgid_egid_sgid", "[65534,65534,65534]", "--gid", "nogroup"),
                given("groups", "[1,2]", "--groups", "1,2"),
                given("status.CapEff", "\"0000000000000020\"", with(able, "--uid", "1", "--keep-gid")),
                given("status.CapInh", "\"0000000000000021\"", "--cap-inheritable", "cap_chown,cap_kill"),
                given("status.CapBnd", "\"0000000000000021\"", "--cap-bounding", "cap_chown,cap_kill"),
                given("status.CapBnd", "\"0000000000000021\"", "--cap-bounding", "0x21"),
                given("status.CapBnd", "\"0000000000000000\"", "--cap-bounding", "none"),
                given("status.CapAmb", "\"0000000000000001\"", "--uid", "1", "--keep-gid", "--caps", "chown"),
                given("securebits", "\"0x3\"", "--securebits", "noroot,noroot_locked"),
                given("no_new_privs", "1", "--no-new-privs"),
                given("keyrings.session.describe_by_spec", ";umh4j-option", "--keyring", "umh4j-option"));
    }

    private static String[] with(String[] some, String... more) {
        return Stream.concat(Arrays.stream(some), Arrays.stream(more)).toArray(String[]::new);
    }

    static Stream<Given> files() {
        return Stream.of(
                given("argv", "[\"odd\",", "--argv0", "odd"),
                given("envp", "[\"A=1\",\"B=x=y\"]", "--env", "A=1", "--env", "B=x=y"),
                given("envp", "PATH=", "--env-inherit"),
                given("envp", "[\"HOME=/\",\"TERM=linux\",", "--kernel"),
                given("fds", "[{\"fd\":2,", "--stdin", "none", "--stdout", "none"),
                given("fds", "{\"fd\":0,\"link\":\"/etc/hostname\"", "--stdin", "/etc/hostname", "--stdout", "null"),
                given("fds", "{\"fd\":2,\"link\":\"/dev/null\"", "--stderr", "null"),
                given("fds", "{\"fd\":9,\"link\":\"/dev/null\"", "--fd", "9=null"),
                given("fds", "{\"fd\":9,\"link\":\"/etc/hostname\"", "--fd", "9=/etc/hostname"),
                given("fds", "{\"fd\":9,", "--fd", "9=inherit:0"),
                given("cwd", "\"/usr\"", "--cwd", "/usr"),
                given("status.Umask", "\"0077\"", "--umask", "077"));
    }

    static Stream<Given> limits() {
        return Stream.of(
                given("rlimits.NOFILE", "[64,128]", "--rlimit", "nofile=64:128"),
                given("rlimits.CORE", "[0,0]", "--rlimit", "core=0"),
                given("rlimits.AS", "[67108864,134217728]", "--rlimit", "as=64M:128M"),
                given("rlimits.NOFILE", ownNofile(), "--rlimit", "inherit"),
                given("rlimits.NOFILE", "[8,9]", "--rlimit", "inherit", "--rlimit", "nofile=8:9"),
                given("oom_score_adj", "\"300\"", "--oom-score-adj", "300"),
                given("coredump_filter", "\"0000007f\"", "--coredump-filter", "0x7f"),
                given("sched_policy", "3", "--sched", "batch"),
                given("sched_policy", "5", "--sched", "idle"),
                given("stat.rt_priority", "7", "--sched", "fifo:7"),
                given("sched_policy", "2", "--sched", "rr:9"),
                given("sched_policy", "6", "--sched", "deadline:1ms:20ms:40ms"),
                given("nice", "5", "--sched", "other", "--nice", "5"),
                given("cpu_affinity", "[0]", "--affinity", "0,4090-4095"),
                given("ioprio", "16388", "--ioprio", "best-effort:4"),
                given("ioprio", "24576", "--ioprio", "idle"),
                given("timerslack_ns", "1000", "--timer-slack", "1000"),
                given("personality", "\"0x40000\"", "--personality", "40000"));
    }

    /** This JVM's own. */
    private static String ownNofile() {
        for (String line : read("/proc/self/limits").split("\n")) {
            if (line.startsWith("Max open files")) {
                String[] words = line.split("\\s+");
                return "[" + words[3] + "," + words[4] + "]";
            }
        }
        throw new AssertionError("no limit on open files");
    }

    static Stream<Given> signalsAndViews() {
        return Stream.of(
                given("pdeathsig", "15", "--pdeathsig", "TERM"),
                given("status.SigBlk", "\"0000008000004000\"", "--block", "TERM,40"),
                given("status.SigIgn", "\"0000000000000001\"", "--ignore", "HUP"),
                given("sid", ownStat(2), "--setpgid"),
                given("pgrp", ownStat(1), "--inherit-session"),
                given("ns.net", "net:[", "--unshare", "net,uts"),
                given("ns.uts", "uts:[", "--unshare", "net,uts"),
                given("status.NSpid", "\\t1\"", "--unshare", "pid", "--map-root"),
                given("ns.user", "user:[", "--map-root"),
                given("ns.user", "user:[", "--map-uids", "0:0:10", "--map-gids", "0:0:10"),
                given("seccomp_mode", "2", "--no-new-privs", "--seccomp", filter()));
    }

    /** This JVM's own process group or session: a field behind the parent's in /proc/PID/stat. */
    private static String ownStat(int field) {
        String stat = read("/proc/self/stat");
        return stat.substring(stat.lastIndexOf(')') + 4).split(" ")[field];
    }

    private static String read(String path) {
        try {
            return Files.readString(Path.of(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String filter() {
        try {
            return Files.write(ProbeProgram.FOLDER.resolve("allow-all.bpf"), ALLOW_ALL)
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The output and error output of umh, and its exit status. */
    record Said(int status, String out, String err) {}

    private static Said umh(String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        System.setOut(new PrintStream(output));
        System.setErr(new PrintStream(complained));
        try {
            int status = Main.run(arguments);
            return new Said(status, output.toString(), complained.toString());
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private static Report probe(String... options) throws IOException {
        Said output = umh(with(new String[] {"probe"}, options));
        assertEquals(0, output.status(), output::err);
        return Report.parse(output.out());
    }

    @ParameterizedTest
    @MethodSource({"identity", "files", "limits", "signalsAndViews"})
    void optionIsWhatTheHelperReports(Given given) throws IOException {
        String before = probe().get(given.field()).toString();
        String after = probe(given.options()).get(given.field()).toString();
        assertTrue(after.contains(given.expected()), () -> given.field() + " " + after);
        assertNotEquals(before, after, "so without the option");
    }

    @Test
    void inheritedKeyringIsThatOfUmh() throws IOException {
        String[] field = new String[3];
        String[] options = {"inherit", "inherit", "new"};
        for (int i = 0; i < field.length; i++) {
            field[i] = probe("--keyring", options[i]).text("keyrings.session.id");
        }
        assertEquals(field[0], field[1]);
        assertNotEquals(field[0], field[2]);
    }

    @Test
    void sessionIsNewByDefault() throws IOException {
        for (String[] options : new String[][] {{}, {"--setsid"}}) {
            Report report = probe(options);
            assertEquals(report.text("pid"), report.text("sid"));
            assertEquals(report.text("pid"), report.text("pgrp"));
        }
        Report group = probe("--setpgid");
        assertEquals(group.text("pid"), group.text("pgrp"));
    }

    @Test
    void namespacesAreJoinedByProcessAndByFile() throws Exception {
        NamespaceSetup fresh = NamespaceSetup.defaults().unshare(Namespace.NET, Namespace.UTS);
        try (Helper other = UsermodeHelper.start(
                ProbeProgram.doing("pause").task(Task.defaults().namespaces(fresh)))) {
            String net = Files.readSymbolicLink(Path.of("/proc/" + other.pid() + "/ns/net"))
                    .toString();
            String uts = Files.readSymbolicLink(Path.of("/proc/" + other.pid() + "/ns/uts"))
                    .toString();
            Report one = probe("--join", other.pid() + ":net");
            assertEquals(net, one.text("ns.net"));
            assertNotEquals(uts, one.text("ns.uts"));
            Report both = probe("--join", other.pid() + ":net,uts");
            assertEquals(net + uts, both.text("ns.net") + both.text("ns.uts"));
            assertEquals(
                    net, probe("--join", "net=/proc/" + other.pid() + "/ns/net").text("ns.net"));
            Report all = probe("--join", Long.toString(other.pid()));
            assertEquals(net + uts, all.text("ns.net") + all.text("ns.uts"));
        }
    }

    /** Options, and the output of umh. */
    record Refused(String reason, String... options) {
        @Override
        public String toString() {
            return String.join(" ", options);
        }
    }

    private static Refused refused(String reason, String... options) {
        return new Refused(reason, options);
    }

    static Stream<Refused> refusals() {
        Stream<Refused> all = Stream.of(
                refused("EXEC failed with ENOENT", "--root", "/usr"),
                refused("CWD failed with ENOENT", "--root", "/usr", "--cwd", "/usr"),
                refused("option '--umask': '01777' is not an octal number from 0 to 0777", "--umask", "01777"),
                refused("is not an octal number from 0 to 0777", "--umask", "8"),
                refused("is not an octal number from 0 to 0777", "--umask", "777777777777777777777"),
                refused(
                        "effective cap_chown is not permitted",
                        "--cap-permitted",
                        "cap_kill",
                        "--cap-effective",
                        "cap_chown"),
                refused("ambient cap_kill is not inheritable", "--cap-ambient", "cap_kill"),
                refused("EXEC_LABEL failed with EINVAL", "--exec-label", "no-such-label"),
                refused("CGROUP (/no/such) failed with ENOENT", "--cgroup", "/no/such"),
                refused("TERMINAL failed with EBADF", "--terminal", "65000"),
                refused("JOIN failed with ESRCH", "--join", "2147483647:net"),
                refused("/no/such: no such file", "--seccomp", "/no/such"),
                refused("is not hexadecimal from 0 to ffffffff", "--personality", "odd"),
                refused("is not hexadecimal from 0 to ffffffff", "--coredump-filter", ""),
                refused("write NAME=SOFT:HARD", "--rlimit", "nofile=1:2:3"),
                refused("option '--fd' (N=SOURCE): 'x' is not a number", "--fd", "9=inherit:x"),
                refused("'9999999999' is not in 0 to 2147483647", "--sched", "fifo:9999999999"),
                refused("one of --setsid", "--setsid", "--setpgid"),
                refused("one of --setsid", "--terminal", "0", "--inherit-session"));
        boolean landlock = Sandbox.landlockAbi() > 0;
        return landlock
                ? Stream.concat(
                        all, Stream.of(refused("EXEC failed with EACCES", "--no-new-privs", "--landlock", "ro:/etc")))
                : all;
    }

    /** Values that are refused before anything is started, by the option, the value and the range. */
    static Stream<Refused> badValues() {
        return Stream.of(
                refused("'--nice': nice value 20 is not in -20 to 19", "--nice", "20"),
                refused("'--nice': '-2147483648' is not in -2147483647 to 2147483647", "--nice=-2147483648"),
                refused("'--oom-score-adj': oom_score_adj 1001 is not in -1000 to 1000", "--oom-score-adj", "1001"),
                refused("'--coredump-filter': coredump filter 0x200 is not in 0 to 0x1ff", "--coredump-filter", "200"),
                refused("'--personality': personality 0xffffffff", "--personality", "ffffffff"),
                refused(
                        "'--rlimit' (NAME=SOFT[:HARD]|inherit): NOFILE: soft limit 2 is above",
                        "--rlimit",
                        "nofile=2:1"),
                refused("no limit 'files'; there are cpu, fsize, data", "--rlimit", "files=1"),
                refused("'64E' is not a number", "--rlimit", "as=64E"),
                refused("'--sched': real-time priority 100 is not in 1 to 99", "--sched", "fifo:100"),
                refused("no policy 'fifo'; there are other, batch", "--sched", "fifo"),
                refused("'--affinity': '3-1' is not a range in 0 to 65535", "--affinity", "0,3-1"),
                refused("'--ioprio': I/O level 8 of BEST_EFFORT is not in 0 to 7", "--ioprio", "best-effort:8"),
                refused("'--ioprio': no I/O class 'best'; there are none, realtime, best_effort", "--ioprio", "best"),
                refused("'--timer-slack': timer slack PT0S is not positive", "--timer-slack", "0"),
                refused("no namespace 'user space'", "--unshare", "net,user space"),
                refused("'--join' (PID[:NS,NS]|NS=FILE): pid 0 is not in 1 to 2147483647", "--join", "0"),
                refused("'1:2' is not a range INSIDE:OUTSIDE:COUNT", "--map-uids", "1:2"),
                refused("id 4294967295 is not in 0 to 4294967294", "--map-gids", "0:4294967295:1"),
                refused("'--uid': id 4294967295 is not in 0 to 4294967294", "--uid", "4294967295"),
                refused("'--gid': '1:2' is neither one id nor three as R:E:S", "--gid", "1:2"),
                refused("'--groups': id 4294967295 is not in", "--groups", "1,4294967295"),
                refused("'--cap-bounding': no capability 'cap_nope'", "--cap-bounding", "cap_kill,cap_nope"),
                refused("no securebit 'root'; there are noroot, noroot_locked", "--securebits", "root"),
                refused("'/usr' is neither ro:PATH nor rw:PATH", "--landlock", "/usr"),
                refused("no signal NOPE; a name such as TERM, or a number from 1 to 64", "--ignore", "HUP,NOPE"),
                refused("signal 9 can", "--block", "KILL"),
                refused("'--pdeathsig': '40' is a real-time signal", "--pdeathsig", "40"),
                refused("'--terminal': 'tty' is not a number", "--terminal", "tty"),
                refused("descriptor 65536 is not in 0 to 65535", "--fd", "65536=null"),
                refused("'--env' (N=V): '=x' is not NAME=VALUE", "--env", "=x"),
                refused("no stage that may stay unapplied 'uid'; there are ", "--allow-unapplied", "nice,uid"),
                refused("--uid: this host has no user 'no-such-user'", "--uid", "no-such-user"));
    }

    @ParameterizedTest
    @MethodSource({"refusals", "badValues"})
    void impossibleOptionIsReportedInOneLine(Refused refused) {
        Said output = umh(with(new String[] {"probe"}, refused.options()));
        assertEquals(Main.FAILED, output.status());
        assertTrue(output.err().contains(refused.reason()), output::err);
        long lines =
                output.err().lines().filter(line -> !line.startsWith("Try '")).count();
        assertEquals(1, lines, output::err);
    }

    /** CommandLineTest has what holds for a whole process, and how umh itself waits. */
    private static final Set<String> ELSEWHERE = Set.of(
            "--bset",
            "--inheritable",
            "--allow",
            "--static-helper",
            "--wait",
            "--killable",
            "--freezable",
            "--timeout",
            "--json",
            "--help",
            "--version");

    @Test
    void eachOptionHasATest() {
        Stream<String[]> rows = Stream.of(identity(), files(), limits(), signalsAndViews())
                .flatMap(given -> given)
                .map(Given::options);
        Set<String> tried = Stream.concat(rows, refusals().map(Refused::options))
                .flatMap(Arrays::stream)
                .filter(word -> word.startsWith("--"))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> all = new TreeSet<>();
        for (Object command : List.of(new ExecCommand(), new ProbeCommand())) {
            all.addAll(new CommandLine(command).getCommandSpec().optionsMap().keySet());
        }
        all.removeIf(name -> ELSEWHERE.contains(name) || !name.startsWith("--"));
        all.remove(Sandbox.landlockAbi() > 0 ? "" : "--landlock");
        assertEquals(all, tried);
    }
}
