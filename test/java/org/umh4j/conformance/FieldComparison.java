// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.umh4j.support.Report;

/** A helper of a kernel beside one of ours, field by field. */
final class FieldComparison {
    /** What a field is found to be. */
    enum Verdict {
        EQUAL,
        DOCUMENTED,
        FAILURE
    }

    /** One field; row is the name in the kernel map that covers it, or empty. */
    record Field(String scenario, String name, String there, String here, Verdict verdict, String row) {
        @Override
        public String toString() {
            return scenario + " " + name + ": " + there + " there, " + here + " here"
                    + (row.isEmpty() ? "" : ", and not as " + row + " is documented");
        }
    }

    private final KernelMap map;
    private final Host host;

    FieldComparison(KernelMap map, Host host) {
        this.map = map;
        this.host = host;
    }

    /** Every field that at least one of the two has. */
    List<Field> compare(Scenario scenario, Report helper) {
        Map<String, String> there = scenario.report().flat();
        Map<String, String> here = helper.flat();
        TreeSet<String> names = new TreeSet<>(there.keySet());
        names.addAll(here.keySet());
        List<Field> fields = new ArrayList<>();
        for (String name : names) {
            fields.add(field(new Documented.Difference(scenario, name, there.get(name), here.get(name), helper, host)));
        }
        return fields;
    }

    private Field field(Documented.Difference difference) {
        Optional<String> row = map.row(difference.field()).map(KernelMap.Row::name);
        return new Field(
                difference.scenario().name(),
                difference.field(),
                difference.there(),
                difference.here(),
                verdict(difference, row),
                row.orElse(""));
    }

    private static Verdict verdict(Documented.Difference difference, Optional<String> row) {
        if (difference.there() != null && difference.there().equals(difference.here())) {
            return Verdict.EQUAL;
        }
        boolean documented =
                row.map(Documented::rule).map(rule -> allows(rule, difference)).orElse(false);
        return documented ? Verdict.DOCUMENTED : Verdict.FAILURE;
    }

    private static boolean allows(Documented.Rule rule, Documented.Difference difference) {
        try {
            return rule.allows(difference);
        } catch (RuntimeException e) {
            return false; // a value of another shape than the rule is for
        }
    }
}
