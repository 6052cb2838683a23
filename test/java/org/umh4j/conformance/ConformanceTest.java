// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.conformance.FieldComparison.Field;
import org.umh4j.conformance.FieldComparison.Verdict;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.RequiresRoot;

/** Helpers of ours beside helpers of real kernels, and the documents that speak of it. */
@ExtendWith(Leaks.class)
final class ConformanceTest {
    /** A JVM for each setting, one after the other. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    private static final Path MAP = Path.of("docs/kernel-map.md");

    @Test
    @RequiresRoot
    void everyFieldCallAndWriteConforms() throws IOException, InterruptedException {
        Jvm.Outcome outcome = new Jvm().limit(PATIENCE).run(Conformance.class);
        assertEquals(0, outcome.exitCode(), outcome.out() + outcome.err());
    }

    @Test
    void pageHasTheTableThatTheProgramMakes() throws IOException {
        String page = Files.readString(Path.of("docs/conformance.md"));
        assertEquals(new ConformanceTable(KernelMap.read()).into(page), page, "make conformance ARGS=--docs");
    }

    @Test
    @RequiresRoot
    void undocumentedDifferenceFails() throws IOException, InterruptedException {
        List<String> lines = Files.readAllLines(MAP);
        lines.removeIf(line -> line.startsWith("| `pgrp`"));
        Scenario scenario = Recordings.helpers(Recordings.KERNELS.get(0)).get(0);
        Set<String> failed = failed(new KernelMap(lines), scenario);
        assertEquals(Set.of("pgrp", "sid", "stat.pgrp", "stat.session", "status.NSpgid", "status.NSsid"), failed);
    }

    @Test
    @RequiresRoot
    void differenceOtherThanTheDocumentedOneFails() throws IOException, InterruptedException {
        Scenario few = Recordings.helpers(Recordings.KERNELS.get(0)).stream()
                .filter(scenario -> scenario.name().equals("bset_few.modprobe"))
                .findFirst()
                .orElseThrow();
        // This JVM's policy is not the recorded one, so that its helper has more than the map allows.
        assertEquals(Set.of("status.CapBnd", "status.CapEff", "status.CapPrm"), failed(KernelMap.read(), few));
    }

    private static Set<String> failed(KernelMap map, Scenario scenario) throws IOException, InterruptedException {
        Programs programs = Programs.ofTheTests();
        FieldComparison comparison = new FieldComparison(map, Host.look(programs));
        return comparison.compare(scenario, programs.start(scenario)).stream()
                .filter(field -> field.verdict() == Verdict.FAILURE)
                .map(Field::name)
                .collect(Collectors.toSet());
    }

    @Test
    void documentedDifferenceThatDoesNotExistFails() throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>(Files.readAllLines(MAP));
        lines.replaceAll(
                line -> line.startsWith("| `exe`") ? line.replace("`exe`", "`exe`, `coredump_filter`, `exe`") : line);
        Set<String> failures = new Conformance(new KernelMap(lines)).disagreements();
        assertTrue(failures.contains("docs/kernel-map.md lists exe twice"), failures::toString);
        assertTrue(
                failures.contains("docs/kernel-map.md lists coredump_filter, and nothing differs"), failures::toString);
        assertTrue(
                failures.contains("docs/kernel-map.md lists coredump_filter, and Documented has no rule for it"),
                failures::toString);
    }
}
