// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Namespace;
import org.umh4j.task.NamespaceSetup;
import picocli.CommandLine.Option;

/** The options for new namespaces, joined namespaces and maps of ids. */
final class NamespaceOptions {
    @Option(
            names = "--unshare",
            paramLabel = "NS,NS",
            split = ",",
            hideParamSyntax = true,
            converter = NamespaceConverter.class,
            completionCandidates = NamespaceConverter.class,
            description = "Creates new namespaces. NS is mount, uts, ipc, net, pid, cgroup, time or user.")
    private List<Namespace> unshared = new ArrayList<>();

    @Option(
            names = "--join",
            paramLabel = "PID[:NS,NS]|NS=FILE",
            converter = JoinConverter.class,
            description = "Joins namespaces of a process, all but its user namespace by default; or the namespace of a"
                    + " file, such as net=/run/netns/blue. Repeatable.")
    private List<Join> joined = new ArrayList<>();

    @Option(
            names = "--map-root",
            description = "Creates a user namespace in which umh's user is root. Needs no privilege, unless the host"
                    + " forbids user namespaces to ordinary users.")
    private boolean mapsRoot;

    @Option(
            names = "--map-uids",
            paramLabel = "INSIDE:OUTSIDE:COUNT",
            converter = IdRangeConverter.class,
            description = "Creates a user namespace with this range of uids. Repeatable.")
    private List<IdRange> uidRanges = new ArrayList<>();

    @Option(
            names = "--map-gids",
            paramLabel = "INSIDE:OUTSIDE:COUNT",
            converter = IdRangeConverter.class,
            description = "Creates a user namespace with this range of gids. Repeatable.")
    private List<IdRange> gidRanges = new ArrayList<>();

    NamespaceSetup namespaces() {
        NamespaceSetup all = unshared.isEmpty()
                ? NamespaceSetup.defaults()
                : NamespaceSetup.defaults().unshare(unshared.toArray(Namespace[]::new));
        for (Join one : joined) {
            all = one.addTo(all);
        }
        all = mapsRoot ? all.mapRoot() : all;
        for (IdRange range : uidRanges) {
            all = all.mapUids(range.inside(), range.outside(), range.count());
        }
        for (IdRange range : gidRanges) {
            all = all.mapGids(range.inside(), range.outside(), range.count());
        }
        return all;
    }

    /** The name of a namespace. */
    static final class NamespaceConverter extends ValueConverter<Namespace> {
        @Override
        Namespace parse(String text) {
            return Namespace.of(text);
        }

        @Override
        List<String> candidates() {
            return EnumNames.of(List.of(Namespace.values()));
        }
    }

    /** Namespaces of a process, or the one of a file. */
    record Join(long pid, List<Namespace> kinds, @Nullable String file) {
        NamespaceSetup addTo(NamespaceSetup all) {
            return file == null ? all.join(pid, kinds.toArray(Namespace[]::new)) : all.joinFile(kinds.get(0), file);
        }
    }

    /** {@code PID}, {@code PID:NS,NS}, or {@code NS=FILE}. */
    static final class JoinConverter extends ValueConverter<Join> {
        @Override
        Join parse(String text) {
            int equals = text.indexOf('=');
            if (equals > 0) {
                return new Join(0, List.of(Namespace.of(text.substring(0, equals))), text.substring(equals + 1));
            }
            String[] parts = text.split(":", 2);
            List<Namespace> kinds = new ArrayList<>();
            for (String name : parts.length == 1 ? new String[0] : parts[1].split(",")) {
                kinds.add(Namespace.of(name));
            }
            long pid = NumberParser.number(parts[0]);
            if (pid < 1 || pid > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("pid " + pid + " is not in 1 to " + Integer.MAX_VALUE);
            }
            return new Join(pid, kinds, null);
        }
    }

    /** A range of ids inside and outside of a user namespace. */
    record IdRange(long inside, long outside, long count) {}

    /** {@code INSIDE:OUTSIDE:COUNT}. */
    static final class IdRangeConverter extends ValueConverter<IdRange> {
        @Override
        IdRange parse(String text) {
            String[] parts = text.split(":", -1);
            if (parts.length != 3) {
                throw new IllegalArgumentException("'" + text + "' is not a range INSIDE:OUTSIDE:COUNT");
            }
            IdRange range = new IdRange(
                    NumberParser.number(parts[0]), NumberParser.number(parts[1]), NumberParser.number(parts[2]));
            NamespaceSetup.defaults().mapUids(range.inside(), range.outside(), range.count());
            return range;
        }
    }
}
