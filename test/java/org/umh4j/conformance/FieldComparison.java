// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.umh4j.support.Report;

/** Compares a helper of a kernel with one of umh4j, field by field. */
final class FieldComparison {
    /** The result of the comparison of a field. */
    enum Verdict {
        EQUAL,
        DOCUMENTED,
        FAILURE
    }

    /** One field; row is the name in the table of differences that covers it, or empty. */
    record Field(String scenario, String name, String expected, String actual, Verdict verdict, String row) {
        @Override
        public String toString() {
            return scenario + " " + name + ": expected " + expected + ", was " + actual
                    + (row.isEmpty() ? "" : ", and not as " + row + " is documented");
        }
    }

    private final DocumentedDifferences differences;
    private final Host host;

    FieldComparison(DocumentedDifferences differences, Host host) {
        this.differences = differences;
        this.host = host;
    }

    /** Compares every field that at least one of the two reports has. */
    List<Field> compare(Scenario scenario, Report helper) {
        Map<String, String> expected = scenario.report().flat();
        Map<String, String> actual = helper.flat();
        TreeSet<String> names = new TreeSet<>(expected.keySet());
        names.addAll(actual.keySet());
        List<Field> fields = new ArrayList<>();
        for (String name : names) {
            fields.add(field(new DifferenceRules.Difference(
                    scenario, name, expected.get(name), actual.get(name), helper, host)));
        }
        return fields;
    }

    private Field field(DifferenceRules.Difference difference) {
        Optional<String> row = differences.row(difference.field()).map(DocumentedDifferences.Row::name);
        return new Field(
                difference.scenario().name(),
                difference.field(),
                difference.expected(),
                difference.actual(),
                verdict(difference, row),
                row.orElse(""));
    }

    private static Verdict verdict(DifferenceRules.Difference difference, Optional<String> row) {
        if (difference.expected() != null && difference.expected().equals(difference.actual())) {
            return Verdict.EQUAL;
        }
        boolean documented = row.map(DifferenceRules::rule)
                .map(rule -> allows(rule, difference))
                .orElse(false);
        return documented ? Verdict.DOCUMENTED : Verdict.FAILURE;
    }

    private static boolean allows(DifferenceRules.Rule rule, DifferenceRules.Difference difference) {
        try {
            return rule.allows(difference);
        } catch (RuntimeException e) {
            return false; // the rule expects a value of another form
        }
    }
}
