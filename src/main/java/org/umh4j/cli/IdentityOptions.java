// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.umh4j.task.Cred;
import picocli.CommandLine.Option;

/** The options for uid, gid, groups, session keyring and security label. */
final class IdentityOptions {
    @Option(
            names = "--uid",
            paramLabel = "UID",
            converter = IdConverter.class,
            description = "A uid, or three as REAL:EFFECTIVE:SAVED; another uid drops umh's supplementary groups. Or a"
                    + " user's name, which also sets that user's gid and groups.")
    private @Nullable Id uid;

    @Option(
            names = "--gid",
            paramLabel = "GID",
            converter = IdConverter.class,
            description = "A gid, or three as REAL:EFFECTIVE:SAVED. Or the name of a group.")
    private @Nullable Id gid;

    @Option(
            names = "--groups",
            paramLabel = "GID,GID",
            arity = "0..1",
            fallbackValue = "",
            converter = GroupListConverter.class,
            description = "The supplementary groups, by number. An empty list sets none.")
    private @Nullable GroupList groups;

    @Option(
            names = "--keep-gid",
            description = "Keeps umh's gid with another uid. If umh's gid is 0, another uid by number needs this option"
                    + " or --gid.")
    private boolean keepsGid;

    @Option(names = "--keep-groups", description = "Keeps umh's supplementary groups with another uid.")
    private boolean keepsGroups;

    @Option(
            names = "--keyring",
            paramLabel = "new|inherit|NAME",
            completionCandidates = Keyrings.class,
            description = "The session keyring: a new one without a name (default), umh's, or one with this name.")
    private @Nullable String keyring;

    @Option(
            names = "--exec-label",
            paramLabel = "LABEL",
            description = "The label of the security module, which is written to /proc/thread-self/attr/exec.")
    private @Nullable String execLabel;

    Cred applyTo(Cred all) {
        if (keepsGid && gid != null || keepsGroups && groups != null) {
            throw new IllegalArgumentException("--keep-gid excludes --gid, and --keep-groups excludes --groups");
        }
        Cred cred = uid == null ? all : uid(all, uid);
        cred = keepsGid ? cred.keepGid() : cred;
        cred = keepsGroups ? cred.keepGroups() : cred;
        cred = gid == null ? cred : gid(cred, gid);
        cred = groups == null
                ? cred
                : cred.groups(groups.gids().stream().mapToLong(i -> i).toArray());
        cred = execLabel == null ? cred : cred.execLabel(execLabel);
        return keyring == null || keyring.equals("new") ? cred : keyring(cred, keyring);
    }

    private static Cred uid(Cred cred, Id id) {
        String name = id.name();
        return name == null ? cred.uids(id.real(), id.effective(), id.saved()) : lookUp("--uid", () -> cred.user(name));
    }

    private static Cred gid(Cred cred, Id id) {
        String name = id.name();
        return name == null
                ? cred.gids(id.real(), id.effective(), id.saved())
                : lookUp("--gid", () -> cred.group(name));
    }

    private static Cred lookUp(String option, Supplier<Cred> lookup) {
        try {
            return lookup.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }

    private static Cred keyring(Cred cred, String name) {
        return name.equals("inherit") ? cred.inheritKeyring() : cred.newKeyring(name);
    }

    /** A name, or three numbers. */
    record Id(@Nullable String name, long real, long effective, long saved) {}

    /** One id, three as {@code R:E:S}, or a name. */
    static final class IdConverter extends ValueConverter<Id> {
        @Override
        Id parse(String text) {
            if (!text.matches("[0-9:]+")) {
                return new Id(text, 0, 0, 0);
            }
            String[] parts = text.split(":", -1);
            if (parts.length != 1 && parts.length != 3) {
                throw new IllegalArgumentException("'" + text + "' is neither one id nor three as R:E:S");
            }
            int last = parts.length - 1;
            return new Id(null, id(parts[0]), id(parts[last / 2]), id(parts[last]));
        }

        private static long id(String text) {
            long id = NumberParser.number(text);
            if (id > Cred.MAX_ID) {
                throw new IllegalArgumentException("id " + id + " is not in 0 to " + Cred.MAX_ID);
            }
            return id;
        }
    }

    /** Supplementary groups. */
    record GroupList(List<Long> gids) {}

    /** Gids with commas between them; an empty text for none. */
    static final class GroupListConverter extends ValueConverter<GroupList> {
        @Override
        GroupList parse(String text) {
            List<Long> gids = new ArrayList<>();
            for (String gid : text.isEmpty() ? new String[0] : text.split(",", -1)) {
                gids.add(IdConverter.id(gid));
            }
            return new GroupList(gids);
        }
    }

    /** The values of {@code --keyring} with a meaning. */
    static final class Keyrings extends ValueConverter<String> {
        @Override
        String parse(String text) {
            return text;
        }

        @Override
        List<String> candidates() {
            return List.of("new", "inherit");
        }
    }
}
