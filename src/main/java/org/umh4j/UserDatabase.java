// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** Names of users and groups, from the two files that every system has. */
final class UserDatabase {
    private static final Path USERS = Path.of("/etc/passwd");
    private static final Path GROUPS = Path.of("/etc/group");

    /** One user: the primary group is among the groups, as initgroups(3) has it. */
    record User(long uid, long gid, long[] groups) {}

    private UserDatabase() {}

    static User user(String name) {
        String[] fields = line(USERS, name, "user");
        long gid = Long.parseLong(fields[3]);
        return new User(Long.parseLong(fields[2]), gid, groupsOf(name, gid));
    }

    static long group(String name) {
        return Long.parseLong(line(GROUPS, name, "group")[2]);
    }

    private static long[] groupsOf(String user, long primary) {
        try (Stream<String> lines = lines(GROUPS)) {
            return Stream.concat(
                            Stream.of(primary),
                            lines.map(line -> line.split(":", -1))
                                    .filter(fields -> fields.length > 3 && Arrays.asList(fields[3].split(",")).contains(user))
                                    .map(fields -> Long.parseLong(fields[2])))
                    .mapToLong(Long::longValue)
                    .distinct()
                    .toArray();
        }
    }

    private static String[] line(Path file, String name, String what) {
        try (Stream<String> lines = lines(file)) {
            return lines.map(line -> line.split(":", -1))
                    .filter(fields -> fields[0].equals(name) && fields.length > 3)
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no " + what + " '" + name + "' in " + file));
        }
    }

    @SuppressWarnings("StreamResourceLeak") // it is the caller's to close
    private static Stream<String> lines(Path file) {
        try {
            return Files.lines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " can't be read: " + e.getMessage(), e);
        }
    }
}
