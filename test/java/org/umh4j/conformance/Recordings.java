// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.umh4j.support.Report;

/** The recordings of real kernels: {@code test/expected/conformance}. */
public final class Recordings {
    /** The kernels by the names of their packages. */
    public static final List<String> KERNELS = List.of("6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64");

    private Recordings() {}

    /** The helpers that a kernel started. */
    public static List<Scenario> helpers(String kernel) throws IOException {
        List<Scenario> scenarios = new ArrayList<>();
        read("born-state", kernel)
                .path("records")
                .properties()
                .forEach(recorded -> scenarios.add(
                        new Scenario(recorded.getKey(), recorded.getValue().path("record"))));
        return scenarios;
    }

    /** Fields that differ between boots of a kernel, or that depend on the recorder. */
    private static final Pattern OF_THE_BOOT = Pattern.compile(
            "(stat\\.)?ppid|status\\.PPid|keyrings\\..*\\.id|keyrings\\.session\\.describe_by_spec|status\\.SigQ"
                    + "|rlimits\\.(NPROC|SIGPENDING)|cgroup|argv|cmdline|fds\\.0\\.link");

    /**
     * The differences between a helper that a kernel has just started and the recorded one, in the fields of both
     * reports. Empty if there is no such recording.
     */
    static List<String> differences(String kernel, String name, Report report) throws IOException {
        List<String> differences = new ArrayList<>();
        for (Scenario recorded : KERNELS.contains(kernel) ? helpers(kernel) : List.<Scenario>of()) {
            Map<String, String> expected =
                    recorded.name().equals(name) ? recorded.report().flat() : Map.of();
            report.flat().forEach((field, value) -> {
                if (!value.equals(expected.getOrDefault(field, value))
                        && !OF_THE_BOOT.matcher(field).matches()) {
                    differences.add(name + " " + field + ": recorded " + expected.get(field) + ", now " + value);
                }
            });
        }
        return differences;
    }

    /** The helpers that the kernel of a guest has just started, one file each. */
    static List<Scenario> helpers(Path directory) throws IOException {
        List<Scenario> scenarios = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
            for (Path file : files) {
                String name = file.getFileName().toString().replaceFirst("\\.json$", "");
                scenarios.add(new Scenario(name, Report.read(file).root()));
            }
        }
        scenarios.sort(Comparator.comparing(Scenario::name));
        return scenarios;
    }

    /** The calls of {@code call_usermodehelper_exec()} that a module made, in their order. */
    public static List<Call> calls(String kernel) throws IOException {
        List<Call> calls = new ArrayList<>();
        read("calls", kernel)
                .path("calls")
                .properties()
                .forEach(recorded -> calls.add(new Call(kernel, recorded.getKey(), recorded.getValue())));
        return calls;
    }

    /** The writes to the sysctl files whose result depends on the text. */
    public static List<SysctlWrite> writes(String kernel) throws IOException {
        return writes(kernel, SysctlWrite::isOfText);
    }

    /** The writes whose result depends on the writer's privilege. */
    static List<SysctlWrite> writers(String kernel) throws IOException {
        return writes(kernel, SysctlWrite::isOfWriter);
    }

    private static List<SysctlWrite> writes(String kernel, Predicate<JsonNode> which) throws IOException {
        List<SysctlWrite> writes = new ArrayList<>();
        for (JsonNode recording : read("sysctl", kernel).path("cases")) {
            if (which.test(recording)) {
                writes.add(new SysctlWrite(kernel, recording));
            }
        }
        return writes;
    }

    private static JsonNode read(String what, String kernel) throws IOException {
        return Report.expected("conformance/" + what + "-" + kernel + ".json");
    }
}
