// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Child;
import org.umh4j.internal.Nullable;

/** Flight recorder events, where the JVM has a flight recorder and it was ever switched on; else nothing happens here. */
final class Events {
    private static final boolean AVAILABLE = isAvailable();

    private Events() {}

    /** Has everything loaded that a later event needs. */
    static void load() {
        if (AVAILABLE && FlightEvents.isOn()) {
            FlightEvents.load();
        }
    }

    /** Whether somebody wants to know of starts, and when what of them was done. */
    static boolean areStartsRecorded() {
        return AVAILABLE && FlightEvents.isOn() && FlightEvents.areStartsRecorded();
    }

    /** A process was started: its program is in place, or its outcome will tell. */
    static void started(SubprocessInfo info, Child child) {
        if (AVAILABLE && FlightEvents.isOn()) {
            FlightEvents.started(info.path(), child);
        }
    }

    /** A helper was run to its end in one go, which is not done where starts are recorded. */
    static void ran(SubprocessInfo info, int status, long nanos) {
        if (AVAILABLE && FlightEvents.isOn()) {
            FlightEvents.exited(info.path(), info.pid(), new WaitStatus(status), nanos);
        }
    }

    static void failed(@Nullable String path, UmhStage stage, int retval) {
        if (AVAILABLE && FlightEvents.isOn()) {
            FlightEvents.failed(path, stage, retval);
        }
    }

    private static boolean isAvailable() {
        try {
            Class.forName("jdk.jfr.FlightRecorder");
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
