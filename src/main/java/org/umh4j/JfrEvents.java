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

/** The events of the flight recorder. This class is only loaded if the JVM has the module {@code jdk.jfr}. */
final class JfrEvents {
    /** The value that the flight recorder shows as a missing time. */
    private static final long UNKNOWN_NANOS = Long.MIN_VALUE;

    private JfrEvents() {}

    /**
     * Whether a recording was ever started. Before that no event class is loaded, since that takes longer than a
     * launch.
     */
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
    @Description("execve of a helper has succeeded")
    @StackTrace(false)
    static final class HelperStart extends Event {
        @Label("Path")
        @Nullable
        String path;

        @Label("Process Identifier")
        long pid;

        @Label("Launch")
        @Description("Time from the start of the launch until execve has succeeded")
        @Timespan(Timespan.NANOSECONDS)
        long launch;

        @Label("Create")
        @Description("Part of the launch: stages SOCKET to LAUNCH, until the launcher runs")
        @Timespan(Timespan.NANOSECONDS)
        long create = UNKNOWN_NANOS;

        @Label("Apply")
        @Description("Part of the launch: the stages of the plan up to, not including, a seccomp filter")
        @Timespan(Timespan.NANOSECONDS)
        long apply = UNKNOWN_NANOS;

        @Label("Execute")
        @Description("Part of the launch: the rest, until the success of execve is noticed")
        @Timespan(Timespan.NANOSECONDS)
        long execute = UNKNOWN_NANOS;
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

    /** The dependents of the child's futures may run in the reaper's thread. Writing an event does not block. */
    static void started(@Nullable String path, Child child) {
        if (!new HelperStart().isEnabled() && !new HelperExit().isEnabled()) {
            return;
        }
        child.outcome().thenAccept(launch -> executed(path, launch));
        child.exit()
                .thenAccept(end -> exited(
                        path, child.pid(), new WaitStatus(end.status()), System.nanoTime() - child.beginNanos()));
    }

    private static void executed(@Nullable String path, LaunchResult launch) {
        HelperStart event = new HelperStart();
        if (event.isEnabled() && launch.result() == 0) {
            event.path = path;
            event.pid = launch.pid();
            event.launch = launch.nanos();
            setParts(event, launch);
            event.commit();
        }
    }

    /**
     * Sets the parts of the launch. Some of their times come from the launcher, whose clock differs if the helper has
     * joined a time namespace; then the parts stay unknown. On a busy host the launcher may have reported before the
     * JVM reads its clock.
     */
    private static void setParts(HelperStart event, LaunchResult launch) {
        long applied = launch.reportedNanos();
        long launched = Math.min(launch.launchedNanos(), applied);
        if (launched >= launch.beginNanos() && launch.endNanos() >= applied) {
            event.create = launched - launch.beginNanos();
            event.apply = applied - launched;
            event.execute = launch.endNanos() - applied;
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
