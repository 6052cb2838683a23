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

/** Compares helpers of umh4j with helpers of real kernels, and the pages with the data. */
@ExtendWith(Leaks.class)
final class ConformanceTest {
    /** A JVM for each setting, one after the other. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    private static final Path DIFFERENCES = Path.of("docs/differences.md");

    @Test
    @RequiresRoot
    void everyFieldCallAndWriteConforms() throws IOException, InterruptedException {
        Jvm.Outcome outcome = new Jvm().limit(PATIENCE).run(Conformance.class);
        assertEquals(0, outcome.exitCode(), outcome.out() + outcome.err());
    }

    @Test
    void pageHasTheTableThatTheProgramMakes() throws IOException {
        String page = Files.readString(Path.of("docs/conformance.md"));
        assertEquals(
                new ConformanceTable(DocumentedDifferences.read()).into(page), page, "make conformance ARGS=--docs");
    }

    @Test
    @RequiresRoot
    void undocumentedDifferenceFails() throws IOException, InterruptedException {
        List<String> lines = Files.readAllLines(DIFFERENCES);
        lines.removeIf(line -> line.startsWith("| `pgrp`"));
        Scenario scenario = Recordings.helpers(Recordings.KERNELS.get(0)).get(0);
        Set<String> failed = failed(new DocumentedDifferences(lines), scenario);
        assertEquals(Set.of("pgrp", "sid", "stat.pgrp", "stat.session", "status.NSpgid", "status.NSsid"), failed);
    }

    @Test
    @RequiresRoot
    void differenceOtherThanTheDocumentedOneFails() throws IOException, InterruptedException {
        Scenario few = Recordings.helpers(Recordings.KERNELS.get(0)).stream()
                .filter(scenario -> scenario.name().equals("bset_few.modprobe"))
                .findFirst()
                .orElseThrow();
        // This JVM's policy is not the recorded one, so its helper has more capabilities than the table allows.
        assertEquals(
                Set.of("status.CapBnd", "status.CapEff", "status.CapPrm"), failed(DocumentedDifferences.read(), few));
    }

    private static Set<String> failed(DocumentedDifferences differences, Scenario scenario)
            throws IOException, InterruptedException {
        Programs programs = Programs.inTestDirectory();
        FieldComparison comparison = new FieldComparison(differences, Host.inspect(programs));
        return comparison.compare(scenario, programs.start(scenario)).stream()
                .filter(field -> field.verdict() == Verdict.FAILURE)
                .map(Field::name)
                .collect(Collectors.toSet());
    }

    @Test
    void documentedDifferenceThatDoesNotExistFails() throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>(Files.readAllLines(DIFFERENCES));
        lines.replaceAll(
                line -> line.startsWith("| `exe`") ? line.replace("`exe`", "`exe`, `coredump_filter`, `exe`") : line);
        Set<String> failures = new Conformance(new DocumentedDifferences(lines)).disagreements();
        assertTrue(failures.contains("docs/differences.md lists exe twice"), failures::toString);
        assertTrue(
                failures.contains("docs/differences.md lists coredump_filter, and nothing differs"),
                failures::toString);
        assertTrue(
                failures.contains("docs/differences.md lists coredump_filter, and DifferenceRules has no rule for it"),
                failures::toString);
    }
}
