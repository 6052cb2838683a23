// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.umh4j.support.BasicUse;
import org.umh4j.support.EveryUse;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;

/** {@code -Xcheck:jni} reports no error. */
final class CheckedJniTest {
    private static void assertClean(Jvm.Outcome outcome, String expected) {
        assertEquals(
                expected, outcome.requireSuccess().replaceAll("(?m)^(WARNING|FATAL ERROR).*", "$0 <- said by the JVM"));
        assertEquals("", outcome.err());
    }

    @Test
    void eachUseOfAHelperPassesCheckJni() throws Exception {
        assertClean(new Jvm().option("-Xcheck:jni").run(BasicUse.class), BasicUse.ANSWERS);
    }

    @Test
    @RequiresRoot
    void streamsAndReportsPassCheckJni() throws Exception {
        Jvm.Outcome outcome = new Jvm().option("-Xcheck:jni").run(EveryUse.class);
        assertClean(outcome, String.join("\n", EveryUse.EXPECTED));
    }
}
