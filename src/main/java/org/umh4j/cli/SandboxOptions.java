// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Sandbox;
import picocli.CommandLine.Option;

/** The options for the seccomp filter and landlock rules. */
final class SandboxOptions {
    @Option(
            names = "--seccomp",
            paramLabel = "FILE",
            description = "A seccomp filter: a file with an array of struct sock_filter.")
    private @Nullable Path seccomp;

    @Option(
            names = "--landlock",
            paramLabel = "ro:PATH|rw:PATH",
            converter = LandlockRuleConverter.class,
            completionCandidates = LandlockRuleConverter.class,
            description = "Denies access to all files without such a rule: ro permits to read and execute, rw permits"
                    + " everything, each for the path and below it. Repeatable.")
    private List<LandlockRule> landlock = new ArrayList<>();

    Sandbox sandbox() throws IOException {
        Sandbox sandbox =
                seccomp == null ? Sandbox.defaults() : Sandbox.defaults().seccomp(Files.readAllBytes(seccomp));
        for (LandlockRule rule : landlock) {
            sandbox = rule.isReadOnly() ? sandbox.readOnly(rule.path()) : sandbox.readWrite(rule.path());
        }
        return sandbox;
    }

    /** A path and the access to it. */
    record LandlockRule(boolean isReadOnly, String path) {}

    /** {@code ro:PATH} or {@code rw:PATH}. */
    static final class LandlockRuleConverter extends ValueConverter<LandlockRule> {
        @Override
        LandlockRule parse(String text) {
            if (!text.startsWith("ro:") && !text.startsWith("rw:")) {
                throw new IllegalArgumentException("'" + text + "' is neither ro:PATH nor rw:PATH");
            }
            return new LandlockRule(text.startsWith("ro:"), text.substring("ro:".length()));
        }

        @Override
        List<String> candidates() {
            return List.of("ro:/", "rw:/");
        }
    }
}
