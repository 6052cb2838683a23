// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.linux.Signal;
import org.umh4j.support.DriverBlobs;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;
import org.umh4j.task.KillScope;
import org.umh4j.task.Task;

/**
 * A recording of the flight recorder, as {@code jfr print} shows it, has the start, failure and end of each helper.
 */
final class JfrEventsTest {
    private static JsonNode events;

    @BeforeAll
    static void record(@TempDir Path folder) throws Exception {
        Path recording = folder.resolve("helpers.jfr");
        new Jvm()
                .option("-XX:StartFlightRecording:filename=" + recording)
                .run(RecordedMain.class)
                .requireSuccess();
        Path json = folder.resolve("helpers.json");
        Process tool = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/jfr",
                        "print",
                        "--json",
                        "--stack-depth",
                        "64",
                        "--events",
                        "org.umh4j.*",
                        recording.toString())
                .inheritIO()
                .redirectOutput(json.toFile())
                .start();
        assertEquals(0, tool.waitFor());
        events = new ObjectMapper().readTree(json.toFile()).path("recording").path("events");
    }

    @Test
    void startedHelperHasStartAndExitEvents() {
        JsonNode start = only("org.umh4j.HelperStart", "path", "/bin/sh");
        JsonNode exit = only("org.umh4j.HelperExit", "path", "/bin/sh");
        assertEquals(start.path("pid"), exit.path("pid"));
        assertTrue(start.path("pid").asLong() > 1);
        assertTrue(Duration.parse(start.path("launch").asText()).toNanos() > 0);
        assertEquals("killed by SIGTERM", exit.path("status").asText());
        assertTrue(Duration.parse(exit.path("lifetime").asText())
                        .compareTo(Duration.parse(start.path("launch").asText()))
                > 0);
    }

    @Test
    void waitingCallHasStartAndExitEvents() {
        JsonNode start = only("org.umh4j.HelperStart", "path", "/bin/false");
        JsonNode exit = only("org.umh4j.HelperExit", "path", "/bin/false");
        assertEquals(start.path("pid"), exit.path("pid"));
        assertTrue(start.path("startTime")
                        .asText()
                        .compareTo(exit.path("startTime").asText())
                <= 0);
        assertEquals("exit code 1", exit.path("status").asText());
    }

    /** The steps of the JVM, of the launcher, and execve: no step of a launch is missing. */
    @Test
    void startEventHasTheTimesOfItsStages() {
        for (String path : new String[] {"/bin/sh", "/bin/false", "driver"}) {
            JsonNode start = only("org.umh4j.HelperStart", "path", path);
            Duration sum = Duration.ZERO;
            for (String part : new String[] {"create", "apply", "execute"}) {
                Duration time = Duration.parse(start.path(part).asText());
                assertTrue(time.compareTo(Duration.ZERO) >= 0, () -> part + " of " + start);
                sum = sum.plus(time);
            }
            assertEquals(Duration.parse(start.path("launch").asText()), sum);
        }
    }

    @Test
    void failureEventHasStageAndErrno() {
        JsonNode failure = only("org.umh4j.HelperFailure", "path", "/no/such");
        assertEquals("EXEC", failure.path("stage").asText());
        assertEquals("ENOENT", failure.path("errno").asText());
        assertTrue(
                failure.path("stackTrace").toString().contains("RecordedMain"),
                () -> "the caller's stack in " + failure);
        JsonNode refused = only("org.umh4j.HelperFailure", "path", "/etc");
        assertEquals("EACCES", refused.path("errno").asText());
    }

    /** The same call as before the recording: times remembered from before are not used. */
    @Test
    void laterRecordingHasTheTimesOfTheStages() throws Exception {
        assertEquals("PT0S < create\n", new Jvm().run(LaterMain.class).requireSuccess());
    }

    static final class LaterMain {
        public static void main(String[] arguments) throws Exception {
            UsermodeHelper.call("/bin/true", new String[] {"true"}, null, UmhWait.PROC);
            Path file = Files.createTempFile("later", ".jfr");
            try (Recording recording = new Recording()) {
                recording.start();
                UsermodeHelper.call("/bin/true", new String[] {"true"}, null, UmhWait.PROC);
                recording.dump(file);
            }
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                if (event.getEventType().getName().equals("org.umh4j.HelperStart")) {
                    // An unknown time is less than zero.
                    boolean known = event.getDuration("create").compareTo(Duration.ZERO) > 0;
                    System.out.println(Duration.ZERO + (known ? " <" : " >=") + " create");
                }
            }
            Files.delete(file);
        }
    }

    private static JsonNode only(String type, String field, String value) {
        List<JsonNode> found = new ArrayList<>();
        for (JsonNode event : events) {
            if (event.path("type").asText().equals(type)
                    && event.path("values").path(field).asText().equals(value)) {
                found.add(event.path("values"));
            }
        }
        assertEquals(1, found.size(), () -> type + " of " + value + " in " + events);
        return found.get(0);
    }

    /** One of each. */
    static final class RecordedMain {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            UsermodeHelper.exec(SubprocessInfo.of("/bin/false", new String[] {"false"}, null), UmhWait.PROC);
            UsermodeHelper.exec(SubprocessInfo.of("/no/such", new String[] {"x"}, null), UmhWait.PROC);
            UsermodeHelper.exec(SubprocessInfo.of("/etc", new String[] {"x"}, null), UmhWait.PROC.killable());
            try (Helper helper =
                    UsermodeHelper.start(SubprocessInfo.of("/bin/sh", new String[] {"sh", "-c", "sleep 60"}, null)
                            .task(Task.defaults().scope(KillScope.GROUP)))) {
                helper.kill(Signal.TERM);
                helper.waitFor();
            }
            UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), UmhWait.PROC);
            try (UsermodeDriver driver =
                    UsermodeDriver.load("driver", DriverBlobs.probe()).arguments("pause")) {
                driver.fork();
            }
        }
    }
}
