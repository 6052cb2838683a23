// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Child;
import org.umh4j.internal.LaunchResult;
import org.umh4j.linux.WaitStatus;

/** The events themselves; this class is only touched where there is a flight recorder. */
final class JfrEvents {
    /** What the flight recorder takes for a time that nobody knows. */
    private static final long UNKNOWN = Long.MIN_VALUE;

    private JfrEvents() {}

    /** Until then no class of an event is loaded, which takes longer than a launch. */
    static boolean isOn() {
        return FlightRecorder.isInitialized();
    }

    static void load() {
        new HelperStart();
        new HelperFailure();
        new HelperExit();
    }

    static boolean areStartsRecorded() {
        return new HelperStart().isEnabled();
    }

    @Name("org.umh4j.HelperStart")
    @Label("Helper Start")
    @Category("Usermode Helper")
    @Description("A helper's program is in place")
    @StackTrace(false)
    static final class HelperStart extends Event {
        @Label("Path")
        @Nullable
        String path;

        @Label("Process Identifier")
        long pid;

        @Label("Launch")
        @Description("From the call to the program in place")
        @Timespan(Timespan.NANOSECONDS)
        long launch;

        @Label("Create")
        @Description("Stages SOCKET to LAUNCH: until the launcher was executed")
        @Timespan(Timespan.NANOSECONDS)
        long create = UNKNOWN;

        @Label("Apply")
        @Description("From there through the stages of the plan, but for a filter and what has to follow it")
        @Timespan(Timespan.NANOSECONDS)
        long apply = UNKNOWN;

        @Label("Execute")
        @Description("From there to stage EXEC, until the program was in place and that was noticed")
        @Timespan(Timespan.NANOSECONDS)
        long execute = UNKNOWN;
    }

    @Name("org.umh4j.HelperFailure")
    @Label("Helper Failure")
    @Category("Usermode Helper")
    @Description("A helper could not be started")
    static final class HelperFailure extends Event {
        @Label("Path")
        @Nullable
        String path;

        @Label("Stage")
        @Nullable
        String stage;

        @Label("Error")
        @Nullable
        String errno;
    }

    @Name("org.umh4j.HelperExit")
    @Label("Helper Exit")
    @Category("Usermode Helper")
    @Description("A helper has ended")
    @StackTrace(false)
    static final class HelperExit extends Event {
        @Label("Path")
        @Nullable
        String path;

        @Label("Process Identifier")
        long pid;

        @Label("Status")
        @Nullable
        String status;

        @Label("Lifetime")
        @Timespan(Timespan.NANOSECONDS)
        long lifetime;
    }

    /** What hangs on the child's futures runs in the reaper and writes an event, which does not block. */
    static void started(@Nullable String path, Child child) {
        if (!new HelperStart().isEnabled() && !new HelperExit().isEnabled()) {
            return;
        }
        child.outcome().thenAccept(launch -> inPlace(path, launch));
        child.exit()
                .thenAccept(end -> exited(
                        path, child.pid(), new WaitStatus(end.status()), System.nanoTime() - child.beginNanos()));
    }

    private static void inPlace(@Nullable String path, LaunchResult launch) {
        HelperStart event = new HelperStart();
        if (event.isEnabled() && launch.result() == 0) {
            event.path = path;
            event.pid = launch.pid();
            event.launch = launch.nanos();
            divide(event, launch);
            event.commit();
        }
    }

    /**
     * By the launcher's clock, which is another one where the helper has joined a time namespace. On a busy machine it may be
     * done before we look at ours.
     */
    private static void divide(HelperStart event, LaunchResult launch) {
        long said = launch.saidNanos();
        long launched = Math.min(launch.launchedNanos(), said);
        if (launched >= launch.beginNanos() && launch.endNanos() >= said) {
            event.create = launched - launch.beginNanos();
            event.apply = said - launched;
            event.execute = launch.endNanos() - said;
        }
    }

    static void exited(@Nullable String path, long pid, WaitStatus status, long nanos) {
        HelperExit event = new HelperExit();
        if (event.isEnabled()) {
            event.path = path;
            event.pid = pid;
            event.status = status.toString();
            event.lifetime = nanos;
            event.commit();
        }
    }

    static void failed(@Nullable String path, UmhException failure) {
        HelperFailure event = new HelperFailure();
        if (event.isEnabled()) {
            event.path = path;
            event.stage = failure.stage().name();
            event.errno = failure.errnoName();
            event.commit();
        }
    }
}
