// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;

/**
 * Every recorded call of {@code call_usermodehelper_exec()} made again: the same result, init and cleanup in the same
 * order, cleanup seeing the same retval.
 */
@ExtendWith(Leaks.class)
final class RecordedCallsTest {
    private static final Path H = ProbeProgram.FOLDER.resolve("h");

    /** One recorded call: its name, and what the module was told, as in harness/umht.c. */
    record Call(String name, JsonNode recording) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Call> calls() throws IOException {
        List<Call> calls = new ArrayList<>();
        for (String kernel : List.of("6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64")) {
            JsonNode all = org.umh4j.support.Report.expected("kernel-truth/calls-" + kernel + ".json").path("calls");
            all.properties().forEach(call -> {
                if (call.getKey().matches("umh\\.\\d+\\..*")) {
                    calls.add(new Call(kernel + " " + call.getKey(), call.getValue()));
                }
            });
        }
        return calls.stream();
    }

    @BeforeAll
    static void kindsOfBadPrograms() throws IOException {
        Files.createDirectories(H);
        byte[] probe = Files.readAllBytes(Path.of(ProbeProgram.path()));
        program("noexec", probe, "rw-r--r--");
        Files.createDirectories(H.resolve("dir"));
        byte[] otherMachine = probe.clone();
        otherMachine[18] = (byte) 0xb7; // e_machine: AArch64
        program("badarch", otherMachine, "rwxr-xr-x");
        byte[] badElf = new byte[200];
        System.arraycopy(probe, 0, badElf, 0, 4);
        program("badelf", badElf, "rwxr-xr-x");
        program("text", "echo hello\n".getBytes(), "rwxr-xr-x");
        program("empty", new byte[0], "rwxr-xr-x");
        program("script_missing", "#!/no/such/interpreter\n".getBytes(), "rwxr-xr-x");
        program("script_ok", ("#!" + ProbeProgram.path() + " exit\n").getBytes(), "rwxr-xr-x");
    }

    private static void program(String name, byte[] content, String mode) throws IOException {
        Files.write(H.resolve(name), content);
        Files.setPosixFilePermissions(H.resolve(name), PosixFilePermissions.fromString(mode));
    }

    @AfterEach
    void enabledAgain() {
        HelperGate.enable();
    }

    @ParameterizedTest
    @MethodSource("calls")
    void answersAsRecorded(Call call) throws InterruptedException {
        String[] words = call.recording().path("desc").asText().split(" ");
        if (words[0].equals("disable")) {
            HelperGate.setDisableDepth(HelperGate.Depth.values()[Integer.parseInt(words[1])]);
            assertEquals(Integer.parseInt(words[1]), HelperGate.depth().ordinal());
            return;
        }
        if (call.name().contains(".disabled")) {
            int depth = call.name().contains(".disabled1.") ? 1 : 2;
            HelperGate.setDisableDepth(HelperGate.Depth.values()[depth]);
        }
        if (words.length < 6) {
            return; // the policy was set here, which SysctlTextTest and BornStateTest cover
        }
        assertEquals(expected(call.recording()), replay(call.recording(), words));
    }

    /** What was recorded, as words: init, cleanup(retval), returned(result). */
    private static List<String> expected(JsonNode recording) {
        List<String> events = new ArrayList<>();
        for (JsonNode event : recording.path("result_later")) {
            if (event.isTextual()) {
                events.add(event.asText());
            } else if (event.has("cleanup")) {
                events.add("cleanup(" + event.path("cleanup").path("retval").asInt() + ")");
            } else {
                events.add("returned(" + event.path("returned").asInt() + ")");
            }
        }
        return normalised(events);
    }

    /** For NO_WAIT nothing orders what happens later against the return; the recordings have it first. */
    private static List<String> normalised(List<String> events) {
        List<String> sorted = new ArrayList<>(events);
        if (sorted.contains("returned(0)") && sorted.indexOf("returned(0)") != sorted.size() - 1) {
            sorted.remove("returned(0)");
            sorted.add("returned(0)");
        }
        return sorted;
    }

    private static List<String> replay(JsonNode recording, String[] words) throws InterruptedException {
        UmhWait wait = new UmhWait(Integer.parseInt(words[0], 16));
        int initret = Integer.parseInt(words[1]);
        List<String> events = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch cleaned = new CountDownLatch(1);
        SubprocessInfo info = SubprocessInfo.of(path(words[4], words[5]), argv(recording, words[3]), envp(words[2]))
                .cleanup(i -> {
                    events.add("cleanup(" + i.retval() + ")");
                    cleaned.countDown();
                });
        if (initret != 9999) {
            info.init((i, cred) -> {
                events.add("init");
                if (initret != 0) {
                    throw new InitFailure(initret);
                }
                return cred;
            });
        }
        int result = UsermodeHelper.exec(info, wait);
        if (!cleaned.await(10, TimeUnit.SECONDS)) {
            throw new AssertionError("no cleanup");
        }
        events.add("returned(" + result + ")");
        return normalised(events);
    }

    private static String path(String kind, String path) {
        return switch (kind) {
            case "null" -> null;
            case "emptystr" -> "";
            default -> path.equals("/probe") || path.equals("probe")
                    ? path.startsWith("/") ? ProbeProgram.path() : ProbeProgram.path().substring(1)
                    : path.replace("/h/", H + "/");
        };
    }

    /** The recorder's probe took its behaviour from a file; ours takes it from its arguments. */
    private static String[] argv(JsonNode recording, String kind) {
        if (kind.equals("null")) {
            return null;
        }
        String behaviour = recording.path("helper").asText();
        return kind.equals("empty")
                ? new String[0]
                : ProbeProgram.argv(behaviour.isEmpty() ? new String[] {"exit", "0"} : words(behaviour));
    }

    private static String[] words(String behaviour) {
        return behaviour.replace("signal", "kill").split(" ");
    }

    private static String[] envp(String kind) {
        return switch (kind) {
            case "null" -> null;
            case "empty" -> new String[0];
            default -> new String[] {"HOME=/", "X=1 2"};
        };
    }
}
