// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.support.Jvm;

/** Tests the evaluation of the guests' output without a guest. */
final class GuestResultsTest {
    private static final GuestLimit LIMIT = GuestLimit.LIMITS.stream()
            .filter(limit -> limit.name().equals("without CAP_SYS_RESOURCE"))
            .findFirst()
            .orElseThrow();

    /** The output of a JVM under it: the only row, the unapplied step, a helper of another user, and the doctor. */
    private static final String OUTPUT = """
            {"kernel":"","field":{"scenario":"default.modprobe","name":"rlimits.NOFILE","expected":"[1024,4096]",\
            "actual":"[900,900]","verdict":"DOCUMENTED","row":"rlimits"}}
            unapplied NOFILE
            other user uid [65534,65534,65534] no_new_privs 1 dumpable 1
            driver hello, exit code 0
            OK       kernel           6.12
            LIMITED  privilege        uid 0 without cap_sys_resource
            LIMITED  confinement      a bounding set without cap_sys_resource
            LIMITED  helper           starts; these stay as the JVM has them: NOFILE
            """;

    private static List<String> failures(String output, int exitCode) throws IOException, InterruptedException {
        return LIMIT.outcome(new Jvm.Outcome(exitCode, output, "")).failures();
    }

    @Test
    void limitUnderWhichAllAgreeDoesNotFail() throws Exception {
        assertEquals(List.of(), failures(OUTPUT, 0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DOCUMENTED | FAILURE | rlimits.NOFILE: ",
                "them: NOFILE | them: NICE | does not apply NOFILE, and umh doctor reports",
                "unapplied NOFILE | unapplied  | does not apply , and umh doctor reports",
                "LIMITED  privilege | OK       privilege | umh doctor finds [confinement, helper], not ",
                "OK       kernel | LIMITED  kernel | umh doctor finds [confinement, helper, kernel, privilege], not ",
                "OK       kernel | MISSING  kernel | umh doctor finds [confinement, helper, kernel, privilege], not ",
                "driver hello | driver EPERM | a driver writes ",
                "dumpable 1 | dumpable 0 | a helper of another user has ",
                "{\"kernel\" | a trace | no helper was started",
            })
    void disagreementFails(String output, String otherwise, String failure) throws Exception {
        assertTrue(OUTPUT.contains(output));
        String all = String.join("\n", failures(OUTPUT.replace(output, otherwise), 0));
        assertTrue(all.startsWith("without CAP_SYS_RESOURCE: "), all);
        assertTrue(all.contains(failure), all);
    }

    @Test
    void exitCodeOfTheDoctorMustMatchItsOutput() throws Exception {
        assertEquals(List.of("without CAP_SYS_RESOURCE: umh doctor exits with 1"), failures(OUTPUT, 1));
    }

    @Test
    void failureInAGuestFailsTheWhole(@TempDir Path folder) throws Exception {
        boots(folder, "failure UNCHANGED default.modprobe nice: expected 0, was 5");
        assertEquals(
                List.of("5.10.0-1 UNCHANGED default.modprobe nice: expected 0, was 5"),
                new GuestResults(folder).failures());
    }

    @Test
    void rowThatNoGuestHasShownFailsTheWhole(@TempDir Path folder) throws Exception {
        boots(folder, "seen ppid");
        assertEquals(List.of(), new GuestResults(folder).failures());
        Path main = folder.resolve("5.10.0-1-cloud-amd64/MAIN.out");
        Files.writeString(main, Files.readString(main).replace("@@seen cpuset\n", ""));
        assertEquals(
                List.of("docs/differences.md lists cpuset, and no guest has shown it"),
                new GuestResults(folder).failures());
    }

    /** Writes the output of three boots that have shown every row of the guests, and one more line. */
    private static void boots(Path folder, String more) throws IOException {
        Path kernel = Files.createDirectory(folder.resolve("5.10.0-1-cloud-amd64"));
        for (String mode : List.of("MAIN", "ODD", "LIMITS")) {
            List<String> lines = new ArrayList<>(List.of("@@done " + mode));
            if (mode.equals("MAIN")) {
                Conformance.IN_GUESTS.keySet().forEach(row -> lines.add("@@seen " + row));
                Setting.LOGGED_IN.provokes().forEach(row -> lines.add("@@seen " + row));
                Setting.RAISED_OOM_SCORE.provokes().forEach(row -> lines.add("@@seen " + row));
                lines.add("@@" + more);
            }
            Files.write(kernel.resolve(mode + ".out"), lines);
            Files.writeString(kernel.resolve(mode + ".seconds"), "1\n");
        }
    }
}
