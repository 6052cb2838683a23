// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Child;
import org.umh4j.internal.Stages;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/**
 * Tells listeners, and the flight recorder where the JVM has one and it was ever switched on; else nothing happens here.
 */
final class HelperEvents {
    private static final boolean AVAILABLE = isAvailable();

    /** Whether there ever was a listener: until then nothing of it is loaded. */
    private static volatile boolean listened;

    private HelperEvents() {}

    /** Has everything loaded that a later event needs. */
    static void load() {
        if (AVAILABLE && JfrEvents.isOn()) {
            JfrEvents.load();
        }
    }

    /** Whether somebody wants to know of a helper before it has ended. */
    static boolean areStartsAwaited() {
        return isListenedTo() || areStartsRecorded();
    }

    /** Whether the flight recorder has starts, and when what of them was done. */
    static boolean areStartsRecorded() {
        return AVAILABLE && JfrEvents.isOn() && JfrEvents.areStartsRecorded();
    }

    /** A process was started: its program is in place, or its outcome will tell. */
    static void started(SubprocessInfo info, Child child) {
        if (AVAILABLE && JfrEvents.isOn()) {
            JfrEvents.started(info.path(), child);
        }
        if (isListenedTo()) {
            tellOf(Objects.requireNonNull(info.path()), child, Audience.now());
        }
    }

    private static boolean isListenedTo() {
        return listened && !Audience.isEmpty();
    }

    static void add(HelperListener listener) {
        Audience.add(listener);
        listened = true;
    }

    /** What hangs on the child's futures may run in the reaper, and leaves a message. */
    private static void tellOf(String path, Child child, List<Audience> audiences) {
        child.outcome().thenAccept(launch -> {
            if (launch.result() == 0) {
                Duration took = Duration.ofNanos(launch.nanos());
                long pid = launch.pid();
                Audience.tell(audiences, listener -> listener.started(path, pid, took));
                if (launch.unapplied() != 0) {
                    Set<UmhStage> unapplied = Stages.of(launch.unapplied());
                    Audience.tell(audiences, listener -> listener.unapplied(path, pid, unapplied));
                }
            }
        });
        child.exit().thenAccept(end -> {
            Duration lifetime = Duration.ofNanos(System.nanoTime() - child.beginNanos());
            WaitStatus status = new WaitStatus(end.status());
            Audience.tell(audiences, listener -> listener.exited(path, child.pid(), status, lifetime));
        });
    }

    /** A helper was run to its end in one go, which is not done where its start is awaited. */
    static void ran(SubprocessInfo info, int status, long nanos) {
        if (AVAILABLE && JfrEvents.isOn()) {
            JfrEvents.exited(info.path(), info.pid(), new WaitStatus(status), nanos);
        }
    }

    static UmhException failed(@Nullable String path, UmhException failure) {
        if (AVAILABLE && JfrEvents.isOn()) {
            JfrEvents.failed(path, failure);
        }
        if (isListenedTo()) {
            Audience.tell(Audience.now(), listener -> listener.failed(path, failure));
        }
        return failure;
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
