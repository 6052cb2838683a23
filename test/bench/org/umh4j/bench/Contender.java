// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

/** One way to start a program and wait for its end; slow ones take part in every so manyeth round only. */
record Contender(String name, int every, Start start) {
    /** One start; anything but 0 is an error. */
    interface Start {
        int run() throws Exception;
    }

    Contender(String name, Start start) {
        this(name, 1, start);
    }
}
