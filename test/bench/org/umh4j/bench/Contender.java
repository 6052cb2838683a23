// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.util.HashSet;
import java.util.Set;

/** One way to start a program and wait for its end; slow ones take part in every so manyeth round only. */
record Contender(String name, int every, Start start) {
    private static final Set<Class<?>> WARM = new HashSet<>();

    /** One start; anything but 0 is an error. */
    interface Start {
        int run() throws Exception;
    }

    Contender(String name, Start start) {
        this(name, 1, start);
    }

    /** How many calls its code needs to be warm: none if it has had them in this JVM, few for those that take long. */
    int coldCalls(int calls) {
        return WARM.add(start.getClass()) ? calls / (every * every) : 0;
    }
}
