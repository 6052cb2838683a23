// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;

/** Prints the result of {@code umh exec --json}. */
final class JsonResult {
    private JsonResult() {}

    static void print(SubprocessInfo info, boolean untilExit, int retval, long micros) throws IOException {
        UmhException failure = info.failure().orElse(null);
        WaitStatus status = untilExit && retval >= 0 && info.pid() != 0 ? new WaitStatus(retval) : null;
        try (JsonGenerator json = Json.onStandardOutput()) {
            json.writeStartObject();
            json.writeNumberField("retval", retval);
            number(json, "pid", info.pid() == 0 ? null : info.pid());
            json.writeStringField(
                    "stage", failure == null ? null : failure.stage().name());
            json.writeStringField("errno", failure == null || failure.errno() == 0 ? null : failure.errnoName());
            bool(json, "exited", status == null ? null : status.exited());
            number(json, "exit_code", status == null || !status.exited() ? null : status.exitCode());
            number(json, "signal", status == null || !status.signaled() ? null : status.signal());
            bool(json, "core", status == null ? null : status.coreDumped());
            json.writeNumberField("elapsed_us", micros);
            unapplied(json, info.unapplied());
            json.writeEndObject();
        }
    }

    /** Writes the stages that were not applied, if there are any. All other fields are always present. */
    private static void unapplied(JsonGenerator json, Set<UmhStage> stages) throws IOException {
        if (stages.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("unapplied");
        for (UmhStage stage : stages) {
            json.writeString(stage.name());
        }
        json.writeEndArray();
    }

    private static void number(JsonGenerator json, String name, @Nullable Integer value) throws IOException {
        json.writeFieldName(name);
        if (value == null) {
            json.writeNull();
        } else {
            json.writeNumber(value);
        }
    }

    private static void bool(JsonGenerator json, String name, @Nullable Boolean value) throws IOException {
        json.writeFieldName(name);
        if (value == null) {
            json.writeNull();
        } else {
            json.writeBoolean(value);
        }
    }
}
