// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.umh4j.support.RequiresRoot;

/**
 * Every order of the events of a launch, on each way of waiting, against a model: {@code test/harness/decide.c}.
 *
 * <p>One of many; {@code make orders}, or {@code -Dtest.orders.every=1}, tries all.
 */
@RequiresRoot // which may send in another process's name
final class LaunchEventOrdersTest {
    private static final int EVERY = Integer.getInteger("test.orders.every", 2001);

    @Test
    void eachOrderOfEventsIsDecidedAsInTheModel() throws Exception {
        Process make = new ProcessBuilder("make", "-s", "orders", "EVERY=" + EVERY)
                .redirectErrorStream(true)
                .start();
        String output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, make.waitFor(), output);
    }
}
