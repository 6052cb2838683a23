// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Namespace;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import picocli.CommandLine.Option;

/** What the helper sees of the system, and what it takes away from itself. */
final class ConfinementOptions {
    @Option(
            names = "--unshare",
            paramLabel = "NS,NS",
            split = ",",
            description = "New namespaces: mount, uts, ipc, net, pid," + " cgroup, time, user.")
    private String[] unshare = {};

    @Option(
            names = "--join",
            paramLabel = "PID[:NS,NS]",
            description = "Namespaces of a process; or NS=FILE. Repeatable.")
    private List<String> join = new ArrayList<>();

    @Option(names = "--map-root", description = "A new user namespace in which umh's user is root: needs no privilege.")
    private boolean mapRoot;

    @Option(
            names = "--map-uids",
            paramLabel = "IN:OUT:N",
            description = "A range of uids of a new user namespace. Repeatable.")
    private List<String> mapUids = new ArrayList<>();

    @Option(
            names = "--map-gids",
            paramLabel = "IN:OUT:N",
            description = "A range of gids of a new user namespace. Repeatable.")
    private List<String> mapGids = new ArrayList<>();

    @Option(names = "--seccomp", paramLabel = "FILE", description = "A filter: an array of struct sock_filter.")
    private @Nullable Path seccomp;

    @Option(
            names = "--landlock",
            paramLabel = "ro|rw:PATH",
            description = "All files but these: ro for reading and executing,"
                    + " rw for everything below the path. Repeatable.")
    private List<String> landlock = new ArrayList<>();

    NamespaceSetup namespaces() {
        NamespaceSetup all = NamespaceSetup.defaults();
        if (unshare.length > 0) {
            all = all.unshare(Arrays.stream(unshare).map(Namespace::of).toArray(Namespace[]::new));
        }
        for (String text : join) {
            all = joined(all, text);
        }
        all = mapRoot ? all.mapRoot() : all;
        for (String range : mapUids) {
            long[] map = range(range);
            all = all.mapUids(map[0], map[1], map[2]);
        }
        for (String range : mapGids) {
            long[] map = range(range);
            all = all.mapGids(map[0], map[1], map[2]);
        }
        return all;
    }

    private static NamespaceSetup joined(NamespaceSetup all, String text) {
        int equals = text.indexOf('=');
        if (equals > 0) {
            return all.joinFile(Namespace.of(text.substring(0, equals)), text.substring(equals + 1));
        }
        String[] parts = text.split(":", 2);
        Namespace[] kinds = parts.length == 1
                ? new Namespace[0]
                : Arrays.stream(parts[1].split(",")).map(Namespace::of).toArray(Namespace[]::new);
        return all.join(NumberParser.number(parts[0]), kinds);
    }

    private static long[] range(String text) {
        long[] parts = Arrays.stream(text.split(":", -1))
                .mapToLong(NumberParser::number)
                .toArray();
        if (parts.length != 3) {
            throw new IllegalArgumentException("not a range INSIDE:OUTSIDE:COUNT: '" + text + "'");
        }
        return parts;
    }

    Sandbox sandbox() throws IOException {
        Sandbox sandbox =
                seccomp == null ? Sandbox.defaults() : Sandbox.defaults().seccomp(Files.readAllBytes(seccomp));
        for (String rule : landlock) {
            if (rule.startsWith("ro:")) {
                sandbox = sandbox.readOnly(rule.substring(3));
            } else if (rule.startsWith("rw:")) {
                sandbox = sandbox.readWrite(rule.substring(3));
            } else {
                throw new IllegalArgumentException("--landlock " + rule + ": write ro:PATH or rw:PATH");
            }
        }
        return sandbox;
    }
}
