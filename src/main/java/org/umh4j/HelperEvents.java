// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Child;
import org.umh4j.internal.StageNumbers;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/**
 * Notifies the listeners, and the flight recorder if the JVM has one and it was ever started. Without either it does
 * nothing.
 */
final class HelperEvents {
    private static final boolean HAS_JFR = hasJfr();
    private static final CopyOnWriteArrayList<Registration> LISTENERS = new CopyOnWriteArrayList<>();

    private HelperEvents() {}

    /** One listener that was added, and the notifications that it has not received yet. */
    private static final class Registration {
        private final HelperListener listener;
        private final ListenerExecutor notifications = new ListenerExecutor();
        private volatile boolean removed;

        Registration(HelperListener listener) {
            this.listener = listener;
        }

        void deliverLater(Consumer<HelperListener> notification) {
            notifications.execute(() -> {
                if (!removed) {
                    notification.accept(listener);
                }
            });
        }
    }

    static void add(HelperListener listener) {
        LISTENERS.add(new Registration(Objects.requireNonNull(listener, "listener")));
    }

    static boolean remove(HelperListener listener) {
        for (Registration registration : LISTENERS) {
            if (registration.listener == listener && LISTENERS.remove(registration)) {
                registration.removed = true;
                return true;
            }
        }
        return false;
    }

    private static void deliver(List<Registration> registrations, Consumer<HelperListener> notification) {
        for (Registration registration : registrations) {
            registration.deliverLater(notification);
        }
    }

    /** Loads all classes that a later event needs. */
    static void load() {
        if (isRecording()) {
            JfrEvents.load();
        }
    }

    private static boolean isRecording() {
        return HAS_JFR && JfrEvents.isOn();
    }

    /** Whether a listener or the flight recorder must be notified of a helper's start before its end. */
    static boolean areStartsAwaited() {
        return !LISTENERS.isEmpty() || areStartsRecorded();
    }

    /** Whether the flight recorder records starts, with the times of their steps. */
    static boolean areStartsRecorded() {
        return isRecording() && JfrEvents.areStartsRecorded();
    }

    /** A process was created. Whether {@code execve} succeeds is known when the outcome of the child is complete. */
    static void started(SubprocessInfo info, Child child) {
        if (isRecording()) {
            JfrEvents.started(info.path(), child);
        }
        if (!LISTENERS.isEmpty()) {
            // A listener that is notified of the start is also notified of the end.
            notifyOf(Objects.requireNonNull(info.path()), child, List.copyOf(LISTENERS));
        }
    }

    /** The dependents of the child's futures may run in the reaper's thread. They only queue a notification. */
    private static void notifyOf(String path, Child child, List<Registration> registrations) {
        child.outcome().thenAccept(launch -> {
            if (launch.result() == 0) {
                Duration launchTime = Duration.ofNanos(launch.nanos());
                long pid = launch.pid();
                deliver(registrations, listener -> listener.started(path, pid, launchTime));
                if (launch.unapplied() != 0) {
                    Set<UmhStage> unapplied = StageNumbers.of(launch.unapplied());
                    deliver(registrations, listener -> listener.unapplied(path, pid, unapplied));
                }
            }
        });
        child.exit().thenAccept(end -> {
            Duration lifetime = Duration.ofNanos(System.nanoTime() - child.beginNanos());
            WaitStatus status = new WaitStatus(end.status());
            deliver(registrations, listener -> listener.exited(path, child.pid(), status, lifetime));
        });
    }

    /** A helper was started and awaited in one JNI call. That is not done if {@link #areStartsAwaited}. */
    static void ranToEnd(SubprocessInfo info, int status, long nanos) {
        if (isRecording()) {
            JfrEvents.exited(info.path(), info.pid(), new WaitStatus(status), nanos);
        }
    }

    static UmhException failed(@Nullable String path, UmhException failure) {
        if (isRecording()) {
            JfrEvents.failed(path, failure);
        }
        if (!LISTENERS.isEmpty()) {
            deliver(LISTENERS, listener -> listener.failed(path, failure));
        }
        return failure;
    }

    private static boolean hasJfr() {
        try {
            Class.forName("jdk.jfr.FlightRecorder");
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
