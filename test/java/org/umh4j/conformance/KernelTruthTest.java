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

/** The test of the test in guests, which takes no guest: what they print decides. */
final class KernelTruthTest {
    private static final GuestLimit LIMIT = GuestLimit.LIMITS.stream()
            .filter(limit -> limit.name().equals("without CAP_SYS_RESOURCE"))
            .findFirst()
            .orElseThrow();

    /** What a JVM under it prints: the only row, what its helper keeps, one of another user, and the doctor. */
    private static final String SAID = """
            {"kernel":"","field":{"scenario":"default.modprobe","name":"rlimits.NOFILE","there":"[1024,4096]",\
            "here":"[900,900]","verdict":"DOCUMENTED","row":"rlimits"}}
            kept NOFILE
            nobody uid [65534,65534,65534] no_new_privs 1 dumpable 1
            driver hello, exit code 0
            OK       kernel           6.12
            LIMITED  privilege        uid 0 without cap_sys_resource
            LIMITED  confinement      a bounding set without cap_sys_resource
            LIMITED  helper           starts; these stay as the JVM has them: NOFILE
            """;

    private static List<String> failures(String said, int exitCode) throws IOException, InterruptedException {
        return LIMIT.outcome(new Jvm.Outcome(exitCode, said, "")).failures();
    }

    @Test
    void limitUnderWhichAllAgreeDoesNotFail() throws Exception {
        assertEquals(List.of(), failures(SAID, 0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DOCUMENTED | FAILURE | rlimits.NOFILE: ",
                "them: NOFILE | them: NICE | keeps NOFILE, and umh doctor says",
                "kept NOFILE | kept  | keeps , and umh doctor says",
                "LIMITED  privilege | OK       privilege | umh doctor finds [confinement, helper], not ",
                "OK       kernel | LIMITED  kernel | umh doctor finds [confinement, helper, kernel, privilege], not ",
                "OK       kernel | MISSING  kernel | umh doctor finds [confinement, helper, kernel, privilege], not ",
                "driver hello | driver EPERM | a driver says ",
                "dumpable 1 | dumpable 0 | a helper of another user is ",
                "{\"kernel\" | a trace | no helper was started",
            })
    void oneThatDoesNotAgreeFails(String said, String otherwise, String failure) throws Exception {
        assertTrue(SAID.contains(said));
        String all = String.join("\n", failures(SAID.replace(said, otherwise), 0));
        assertTrue(all.startsWith("without CAP_SYS_RESOURCE: "), all);
        assertTrue(all.contains(failure), all);
    }

    @Test
    void doctorThatEndsOtherwiseThanItSpeaksFails() throws Exception {
        assertEquals(List.of("without CAP_SYS_RESOURCE: umh doctor ends with 1"), failures(SAID, 1));
    }

    @Test
    void whatAGuestCallsAFailureFailsTheWhole(@TempDir Path folder) throws Exception {
        boots(folder, "failure AS_IT_IS default.modprobe nice: 0 there, 5 here");
        assertEquals(
                List.of("5.10.0-1 AS_IT_IS default.modprobe nice: 0 there, 5 here"),
                new KernelTruth(folder).failures());
    }

    @Test
    void rowThatNoGuestHasShownFailsTheWhole(@TempDir Path folder) throws Exception {
        boots(folder, "seen ppid");
        assertEquals(List.of(), new KernelTruth(folder).failures());
        Path main = folder.resolve("5.10.0-1-cloud-amd64/MAIN.out");
        Files.writeString(main, Files.readString(main).replace("@@seen cpuset\n", ""));
        assertEquals(
                List.of("docs/kernel-map.md lists cpuset, and no guest has shown it"),
                new KernelTruth(folder).failures());
    }

    /** Three boots that have shown all that takes a guest, and have said one thing more. */
    private static void boots(Path folder, String more) throws IOException {
        Path kernel = Files.createDirectory(folder.resolve("5.10.0-1-cloud-amd64"));
        for (String mode : List.of("MAIN", "ODD", "LIMITS")) {
            List<String> lines = new ArrayList<>(List.of("@@done " + mode));
            if (mode.equals("MAIN")) {
                Conformance.IN_GUESTS.keySet().forEach(row -> lines.add("@@seen " + row));
                Setting.LOGGED_IN.provokes().forEach(row -> lines.add("@@seen " + row));
                Setting.HARD_TO_SPARE.provokes().forEach(row -> lines.add("@@seen " + row));
                lines.add("@@" + more);
            }
            Files.write(kernel.resolve(mode + ".out"), lines);
            Files.writeString(kernel.resolve(mode + ".seconds"), "1\n");
        }
    }
}
