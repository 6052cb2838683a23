// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Report;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Sandbox;

/** The command line as its user sees it: output, error output, exit status. */
final class CommandLineTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static Jvm.Outcome umh(String... arguments) throws Exception {
        return new Jvm().run(Main.class, arguments);
    }

    /** The last line of standard output as JSON. */
    private static JsonNode json(Jvm.Outcome outcome) throws IOException {
        String[] lines = outcome.out().split("\n");
        return MAPPER.readTree(lines[lines.length - 1]);
    }

    @Test
    void execRunsAProgramOnTheTerminalsDescriptors() throws Exception {
        Jvm.Outcome outcome = umh("exec", "/bin/echo", "a", "b c");
        assertEquals("a b c\n", outcome.out());
        assertEquals(0, outcome.exitCode());
    }

    @ParameterizedTest
    @CsvSource({"exit 0, 0", "exit 3, 3", "exit 255, 255", "kill -9 $$, 137", "kill -15 $$, 143"})
    void exitStatusIsThatOfTheHelper(String script, int status) throws Exception {
        assertEquals(status, umh("exec", "/bin/sh", "-c", script).exitCode());
    }

    @ParameterizedTest
    @CsvSource({"/no/such/program, 127, ENOENT", "/etc, 126, EACCES", "/etc/passwd, 126, EACCES"})
    void failedExecIsPrintedWithStageAndErrno(String path, int status, String errno) throws Exception {
        Jvm.Outcome outcome = umh("exec", path);
        assertEquals(status, outcome.exitCode());
        assertTrue(outcome.err().startsWith("umh: " + path + ": EXEC failed with " + errno), outcome.err());
    }

    @Test
    void impossibleOptionIsAFailureOfUmh() throws Exception {
        Jvm.Outcome outcome = umh("exec", "--cwd", "/no/such", "--", "/bin/true");
        assertEquals(125, outcome.exitCode());
        assertEquals(
                "umh: /bin/true: CWD failed with ENOENT (No such file or directory): the directory does not exist in"
                        + " the"
                        + " helper's root; create it, or set another one by --cwd\n",
                outcome.err());
    }

    @Test
    void jsonIsTheLastLine() throws Exception {
        Jvm.Outcome outcome = umh("exec", "--json", "/bin/sh", "-c", "echo hello; exit 4");
        assertTrue(outcome.out().startsWith("hello\n"));
        JsonNode result = json(outcome);
        List<String> names = new ArrayList<>();
        result.fieldNames().forEachRemaining(names::add);
        assertEquals(
                List.of("retval", "pid", "stage", "errno", "exited", "exit_code", "signal", "core", "elapsed_us"),
                names);
        assertEquals(4 << 8, result.path("retval").asInt());
        assertTrue(result.path("pid").asInt() > 0);
        assertTrue(result.path("stage").isNull()
                && result.path("errno").isNull()
                && result.path("signal").isNull());
        assertTrue(result.path("exited").asBoolean());
        assertEquals(4, result.path("exit_code").asInt());
        assertTrue(result.path("elapsed_us").asLong() > 0);
    }

    @Test
    void jsonReportsASignal() throws Exception {
        JsonNode result = json(umh("exec", "--json", "/bin/sh", "-c", "kill -9 $$"));
        assertEquals(9, result.path("signal").asInt());
        assertEquals(9, result.path("retval").asInt());
        assertTrue(result.path("exit_code").isNull());
        assertEquals("false", result.path("exited").toString());
        assertEquals("false", result.path("core").toString());
    }

    @Test
    void jsonReportsAFailure() throws Exception {
        JsonNode result = json(umh("exec", "--json", "/no/such/program"));
        assertEquals(-2, result.path("retval").asInt());
        assertEquals("EXEC", result.path("stage").asText());
        assertEquals("ENOENT", result.path("errno").asText());
        assertTrue(result.path("pid").isNull() && result.path("exited").isNull());
    }

    @Test
    void jsonReportsAnEmptyPath() throws Exception {
        Jvm.Outcome outcome = umh("exec", "--json", "");
        assertEquals(0, outcome.exitCode());
        assertEquals(0, json(outcome).path("retval").asInt());
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "exec", "proc", "NONE"})
    void eachWaitModeReturns(String wait) throws Exception {
        assertEquals(0, umh("exec", "--wait", wait, "/bin/true").exitCode());
        assertEquals(
                0,
                umh("exec", "--killable", "--freezable", "--wait", wait, "/bin/true")
                        .exitCode());
    }

    @Test
    void waitForExecDoesNotWaitForTheEnd() throws Exception {
        JsonNode result = json(umh("exec", "--json", "--wait", "exec", "/bin/sleep", "1"));
        assertEquals(0, result.path("retval").asInt());
        assertTrue(result.path("pid").asInt() > 0);
        assertTrue(result.path("exited").isNull());
    }

    @Test
    void argv0AndEnvironmentAreSet() throws Exception {
        assertEquals(
                "odd\n",
                umh("exec", "--argv0", "odd", "/bin/sh", "-c", "echo $0").out());
        assertEquals(
                "A=1\nB=x=y\n",
                umh("exec", "--env", "A=1", "--env", "B=x=y", "/usr/bin/env").out());
        assertEquals(
                "HOME=/\nTERM=linux\nPATH=/sbin:/usr/sbin:/bin:/usr/bin\n",
                umh("exec", "--kernel", "--stdout", "inherit", "/usr/bin/env").out());
        Jvm.Outcome inherited =
                new Jvm().variable("ODD=1").run(Main.class, "exec", "--env-inherit", "--env", "ODD=2", "/usr/bin/env");
        assertTrue(inherited.out().contains("ODD=2\n") && !inherited.out().contains("ODD=1\n"));
    }

    @Test
    void standardStreamsAreRedirected(@TempDir Path folder) throws Exception {
        Path in = Files.writeString(folder.resolve("in"), "from a file\n");
        Path out = folder.resolve("out");
        assertEquals(
                "",
                umh("exec", "--stdin", in.toString(), "--stdout", out.toString(), "/bin/cat")
                        .out());
        assertEquals("from a file\n", Files.readString(out));
        assertEquals(0, umh("exec", "--stdout", "null", "/bin/echo", "x").exitCode());
        assertEquals(
                1,
                umh("exec", "--stdout", "none", "--stderr", "null", "/bin/echo", "x")
                        .exitCode());
        assertEquals(
                "x\n",
                umh("exec", "--fd", "7=inherit:1", "/bin/sh", "-c", "echo x >&7")
                        .out());
    }

    @Test
    void timeoutEndsTheHelper() throws Exception {
        assertTimeoutEndsBy(15, "/bin/sleep", "600");
        assertTimeoutEndsBy(9, ProbeProgram.path(), "ignore", "15", "pause");
    }

    /** On a busy host the time may be over before the helper has begun, or ignores anything. */
    private static void assertTimeoutEndsBy(int signal, String... helper) throws Exception {
        int seen = 0;
        for (String timeout : List.of("300ms", "5s", "50s")) {
            List<String> words = new ArrayList<>(List.of("exec", "--timeout", timeout, "--json"));
            words.addAll(List.of(helper));
            Jvm.Outcome outcome = umh(words.toArray(String[]::new));
            assertEquals(124, outcome.exitCode(), outcome.err());
            seen = json(outcome).path("signal").asInt();
            if (seen == signal) {
                break;
            }
        }
        assertEquals(signal, seen);
    }

    @Test
    void interruptedUmhKillsItsHelper() throws Exception {
        assertEquals("gone", fateOfHelper());
        assertEquals("runs on", fateOfHelper("--killable"));
    }

    /** Ends umh by SIGTERM and looks whether its helper has ended too. */
    private static String fateOfHelper(String... options) throws Exception {
        Path mark = Files.createTempFile("helper", ".pid");
        List<String> arguments = new ArrayList<>(List.of("exec"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("/bin/sh", "-c", "echo $$ > " + mark + "; exec sleep 60"));
        Process umh = new ProcessBuilder(new Jvm().command(Main.class, arguments.toArray(String[]::new)))
                .inheritIO()
                .start();
        while (Files.size(mark) == 0) {
            Thread.sleep(10);
        }
        ProcessHandle helper =
                ProcessHandle.of(Long.parseLong(Files.readString(mark).trim())).orElseThrow();
        Files.delete(mark);
        umh.destroy();
        assertTrue(umh.waitFor(20, TimeUnit.SECONDS));
        boolean alive = helper.isAlive();
        helper.destroyForcibly();
        return alive ? "runs on" : "gone";
    }

    @Test
    @RequiresRoot
    void policyIsAppliedToTheHelper() throws Exception {
        Report report = Report.parse(
                umh("probe", "--kernel", "--bset", "cap_kill,cap_chown").requireSuccess());
        assertEquals(0, report.hex("status.CapPrm") & ~0x21);
        report = Report.parse(umh("probe", "--inheritable", "cap_kill", "--cap-inheritable", "cap_kill,cap_chown")
                .requireSuccess());
        assertEquals(0x20, report.hex("status.CapInh"));
    }

    @Test
    void programsAreAllowedAndMediatedByPolicy() throws Exception {
        assertEquals(
                0,
                umh("exec", "--allow", "/bin/true", "--allow", "/bin/false", "/bin/true")
                        .exitCode());
        Jvm.Outcome refused = umh("exec", "--allow", "/bin/true", "/bin/false");
        assertEquals(125, refused.exitCode());
        assertTrue(refused.err().contains("POLICY failed with EPERM"), refused.err());
        assertEquals(
                "/bin/false x\n",
                umh("exec", "--static-helper", "/bin/echo", "--argv0", "echo", "/bin/false", "/bin/false", "x")
                        .out());
        assertEquals(0, umh("exec", "--static-helper", "", "/bin/false").exitCode());
    }

    @Test
    void probeDoesNotListItsOwnDescriptors() throws Exception {
        Report kernel = Report.parse(umh("probe", "--kernel").requireSuccess());
        assertEquals("[]", kernel.get("fds").toString());
        assertEquals("/", kernel.text("cwd"));
        Report usual = Report.parse(umh("probe", "--fd", "9=null").requireSuccess());
        assertEquals(List.of(0, 1, 2, 9), numbers(usual));
    }

    private static List<Integer> numbers(Report report) {
        List<Integer> numbers = new ArrayList<>();
        report.get("fds").forEach(fd -> numbers.add(fd.path("fd").asInt()));
        return numbers;
    }

    @Test
    void capsPrintsASetInAllForms() throws Exception {
        String out = umh("caps", "cap_chown,cap_bpf").requireSuccess();
        assertTrue(out.contains("0000008000000001") && out.contains("1 128") && out.contains("cap_bpf"), out);
        JsonNode all = json(umh("caps", "--json"));
        assertEquals(CapabilitySet.all().size(), all.path("names").size());
    }

    @Test
    void sysctlPrintsThePolicyAndItsEffect() throws Exception {
        assertTrue(umh("sysctl").requireSuccess().startsWith("kernel.usermodehelper.bset = "));
        assertEquals(
                "33\t0",
                json(umh("sysctl", "--bset", "0x21", "--json")).path("bset").asText());
    }

    @Test
    @RequiresRoot
    void doctorFindsHelpersStarting() throws Exception {
        Jvm.Outcome outcome = umh("doctor");
        assertEquals(0, outcome.exitCode(), outcome.out());
        assertTrue(outcome.out().contains("OK       helper"), outcome.out());
        JsonNode findings = json(umh("doctor", "--json"));
        assertEquals("ok", findings.path("helper").path("state").asText());
        String landlock = findings.path("landlock").path("message").asText();
        assertEquals(
                Sandbox.landlockAbi() > 0
                        ? "ABI " + Sandbox.landlockAbi()
                        : "none, or not enabled: rules fail at stage LANDLOCK",
                landlock);
        assertTrue(findings.path("namespaces").path("message").asText().contains("mnt, net, pid"), findings.toString());
        assertTrue(findings.has("cgroup"), findings.toString());
    }

    /** Options of root on a host that lacks something: the line that reports a failure, and a word of the reason. */
    @ParameterizedTest
    @RequiresRoot
    @CsvSource(
            delimiter = '|',
            value = {
                "capsh --drop=cap_setuid -- -c              | another user   | UID failed with EPERM",
                "capsh --drop=cap_setuid -- -c              | killing theirs | there is none",
                "capsh --drop=cap_setgid -- -c              | groups         | GROUPS failed with EPERM",
                "capsh --drop=cap_sys_admin -- -c           | new net        | UNSHARE",
                "capsh --drop=cap_sys_chroot -- -c          | another root   | ROOT failed with EPERM",
                "capsh --drop=cap_kill -- -c                | killing theirs | EPERM",
                "capsh --drop=cap_sys_nice -- -c            | negative nice  | NICE",
                "capsh --drop=cap_setpcap -- -c             | fewer caps     | BOUNDING of",
                "unshare --user --map-root-user -- bash -c  | another user   | no other uid is mapped",
                "unshare --user --map-root-user -- bash -c  | groups         | no other gid is mapped",
                "unshare --user --map-root-user -- bash -c  | negative nice  | NICE",
            })
    void doctorTriesEachPartOfATask(String under, String subject, String reason) throws Exception {
        String[] command = (under.trim() + " exec").split(" ");
        command[command.length - 1] = "exec \"$0\" \"$@\"";
        Jvm.Outcome outcome = new Jvm().readableByAll().under(command).run(Main.class, "doctor", "--json");
        JsonNode finding = json(outcome).path(subject);
        assertEquals("no", finding.path("state").asText(), outcome.out());
        assertTrue(finding.path("message").asText().startsWith("no, because "), finding.toString());
        assertTrue(finding.path("message").asText().contains(reason), finding.toString());
    }

    @Test
    @RequiresRoot
    void doctorDistinguishesRootFromAnOrdinaryUser() throws Exception {
        JsonNode root = json(umh("doctor", "--json"));
        JsonNode user = json(new Jvm().asNobody().run(Main.class, "doctor", "--json"));
        for (String subject : List.of(
                "another user",
                "another group",
                "groups",
                "killing theirs",
                "fewer caps",
                "negative nice",
                "new mount",
                "new net",
                "another root")) {
            assertEquals("yes", root.path(subject).path("message").asText(), root.toString());
            assertEquals("no", user.path(subject).path("state").asText(), user.toString());
        }
        for (String subject : List.of("no new privs", "seccomp")) {
            assertEquals("yes", user.path(subject).path("message").asText(), user.toString());
        }
    }

    @Test
    @RequiresRoot
    void doctorTriesAHelperWhereTmpIsNoexec(@TempDir Path folder) throws Exception {
        Jvm.Outcome outcome = new Jvm().withNoexecTmpdir(folder).run(Main.class, "doctor", "--json");
        assertEquals("ok", json(outcome).path("helper").path("state").asText(), outcome.out());
    }

    @Test
    @RequiresRoot
    void doctorDescribesTheLimitsOfAnUnprivilegedJvm() throws Exception {
        Jvm.Outcome outcome =
                new Jvm().under("setpriv", "--no-new-privs").asNobody().run(Main.class, "doctor");
        assertTrue(outcome.out().contains("uid 65534 without any capability"), outcome.out() + outcome.err());
        assertTrue(outcome.out().contains("no_new_privs"), outcome.out());
        assertEquals(0, outcome.exitCode(), outcome.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "exec",
                "exec --nope /bin/true",
                "nope",
                "exec --bset cap_nope /bin/true",
                "exec --timeout soon /bin/true",
                "exec --env novalue /bin/true",
                "caps cap_nope",
                "exec --fd x=null /bin/true",
                "exec --fd 70000=null /bin/true",
                "exec --wait never /bin/true",
                "exec --wait exec --timeout 1s /bin/true"
            })
    void misuseExitsWith125AndAReason(String line) throws Exception {
        Jvm.Outcome outcome = umh(line.split(" "));
        assertEquals(125, outcome.exitCode(), outcome.out() + outcome.err());
        assertTrue(!outcome.err().isBlank() && !outcome.err().contains("\tat "), outcome.err());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--help",
                "help",
                "help exec",
                "exec --help",
                "probe --help",
                "caps --help",
                "sysctl --help",
                "doctor --help",
                "tour --help",
                "--version",
                "generate-completion"
            })
    void helpIsPrinted(String line) throws Exception {
        Jvm.Outcome outcome = umh(line.isEmpty() ? new String[0] : line.split(" "));
        assertEquals(0, outcome.exitCode(), outcome.err());
        assertTrue(outcome.out().contains("umh"), outcome.out());
    }

    /** Color on a terminal; none in a file or a pipe, and none with NO_COLOR. */
    @Test
    void doctorPrintsColorsOnlyOnATerminal() throws Exception {
        assertTrue(onTerminal("xterm").contains("\033["), "no colour on a terminal");
        assertFalse(onTerminal("xterm NO_COLOR=1").contains("\033["), "colour in spite of NO_COLOR");
        assertFalse(umh("doctor").out().contains("\033["), "colour in a file");
    }

    private static String onTerminal(String term) throws Exception {
        String command = String.join(" ", new Jvm().command(Main.class, "doctor"));
        Process script = new ProcessBuilder(
                        "script", "-qec", "env -u NO_COLOR TERM=" + term + " " + command, "/dev/null")
                .redirectErrorStream(true)
                .start();
        String out = new String(script.getInputStream().readAllBytes());
        script.waitFor();
        assertTrue(out.contains("Helpers can"), out);
        return out;
    }

    @ParameterizedTest
    @CsvSource({
        "sh, PATH is not searched: did you mean /",
        "no-such-program-anywhere, PATH is not searched",
        "bin/no-such, a relative path begins at",
        "/no/such, the program,"
    })
    void shellHabitsGetAHint(String path, String output) throws Exception {
        Jvm.Outcome outcome = umh("exec", path, "-c", "exit 0");
        assertEquals(127, outcome.exitCode());
        assertTrue(outcome.err().contains(output), outcome.err());
    }

    @Test
    @RequiresRoot
    void hintNamesTheOptionAndNotTheMethod() throws Exception {
        Jvm.Outcome outcome = new Jvm().asNobody().run(Main.class, "exec", "--unshare", "net", "/bin/true");
        assertTrue(outcome.err().contains("add a new user namespace by --map-root"), outcome.err());
        assertEquals(125, outcome.exitCode());
    }

    @Test
    @RequiresRoot
    void doctorPrintsRemediesAndASummary() throws Exception {
        Jvm.Outcome outcome = new Jvm().under("setpriv", "--no-new-privs").run(Main.class, "doctor");
        assertTrue(outcome.out().contains("to change that: check the configuration of this JVM"), outcome.out());
        assertTrue(
                outcome.out().endsWith("Helpers can be started here, except for the attributes that are LIMITED.\n"),
                outcome.out());
    }

    @Test
    @RequiresRoot
    void tourRunsToItsEnd() throws Exception {
        String out = umh("tour").requireSuccess();
        assertTrue(out.contains("uid=0(root)") && out.contains("= 768") && out.contains("0000000000001400"), out);
    }

    @Test
    @RequiresRoot
    void tourOfAnOrdinaryUserNamesTheStepsOfRoot() throws Exception {
        Jvm.Outcome outcome = new Jvm().asNobody().run(Main.class, "tour");
        assertEquals("", outcome.err());
        String out = outcome.requireSuccess();
        assertTrue(
                out.contains("uid=65534") && out.contains("= 768") && out.contains("# As root the same helper"), out);
    }
}
