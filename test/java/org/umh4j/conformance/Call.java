// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.umh4j.UmhWait;
import org.umh4j.linux.Errno;

/** One call of {@code call_usermodehelper_exec()} by a module, with the events of init, cleanup and the caller. */
public record Call(String kernel, String name, JsonNode recording) {
    /** The command for the module: wait, the result of init, envp, argv, path. */
    record Command(int waitFlags, int initret, String envp, String argv, String kind, String path) {
        static final int WITHOUT_INIT = 9999;

        static Command parse(String text) {
            String[] words = text.split(" ");
            int waitFlags = Integer.parseInt(words[0], 16);
            return new Command(waitFlags, Integer.parseInt(words[1]), words[2], words[3], words[4], words[5]);
        }

        boolean isKillable() {
            UmhWait wait = new UmhWait(waitFlags);
            return wait.equals(wait.killable());
        }

        /** As the module reads it. */
        String forModule() {
            return String.join(
                    " ",
                    "call",
                    Integer.toHexString(waitFlags),
                    hasInit() ? Integer.toString(initret) : "none",
                    envp,
                    argv,
                    kind,
                    path);
        }

        boolean hasInit() {
            return initret != WITHOUT_INIT;
        }
    }

    private static final String PLAIN = " 0 std std path /probe";

    /** Whether the caller was killed while it waited. */
    boolean isInterrupted() {
        return name.startsWith("umh.kill.");
    }

    /** The depth that the module set instead of calling, or -1. */
    int depthSet() {
        String[] words = desc().split(" ");
        return words[0].equals("disable") ? Integer.parseInt(words[1]) : -1;
    }

    /** The disable depth during the call. */
    int depth() {
        return name.contains(".disabled1.") ? 1 : name.contains(".disabled2.") ? 2 : 0;
    }

    /** Whether it is a call: some records are of a set depth, or of the result of a socket call. */
    public boolean isCall() {
        return !recorded().isEmpty();
    }

    Command command() {
        if (isInterrupted()) {
            String initret = name.contains("noinit") ? " " + Command.WITHOUT_INIT : " 0";
            return Command.parse((name.contains("killable") ? "6" : "2") + initret + " std std path /probe");
        }
        if (name.contains("caller_odd")) {
            return Command.parse((name.endsWith("nowait") ? "0" : "2") + PLAIN);
        }
        return Command.parse(desc());
    }

    /** The commands of the helper. */
    String commands() {
        return recording.path("helper").asText();
    }

    /** The number of helpers that ran. For an unknown executable format, the kernel ran modprobe. */
    int helpers() {
        boolean unknownFormat = events().contains("cleanup(" + -Errno.ENOEXEC.number() + ")");
        return unknownFormat ? 0 : recording.path("helper_records").asInt();
    }

    /** The events in order: init, cleanup(retval), returned(result). */
    public List<String> events() {
        return ordered(recorded());
    }

    private List<String> recorded() {
        List<String> events = new ArrayList<>();
        for (String last : List.of("result_later", "result_2s_later", "result")) {
            recording.path(last).forEach(event -> events.add(event(event)));
        }
        return events;
    }

    private static String event(JsonNode event) {
        if (event.isTextual()) {
            return event.asText();
        }
        return event.has("cleanup")
                ? "cleanup(" + event.path("cleanup").path("retval").asInt() + ")"
                : "returned(" + event.path("returned").asInt() + ")";
    }

    /** The events in order. For UMH_NO_WAIT the return is put last, since its order is undefined. */
    List<String> ordered(List<String> events) {
        List<String> ordered = new ArrayList<>(events);
        if (command().waitFlags() == UmhWait.NO_WAIT.flags() && ordered.remove("returned(0)")) {
            ordered.add("returned(0)");
        }
        return ordered;
    }

    private String desc() {
        return recording.path("desc").asText();
    }

    @Override
    public String toString() {
        return kernel + " " + name;
    }
}
