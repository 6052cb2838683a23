// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.NameService;
import org.umh4j.linux.WaitStatus;

/**
 * Looks up names of users and groups: first in the two files that every system has, then in the host's other sources.
 *
 * <p>{@code getent} and {@code id} query the other sources. They run as helpers with a time limit, so a name service
 * module that hangs or crashes does not affect the JVM. All text is decoded as ISO 8859-1 and so compared byte by byte,
 * since a name has no fixed encoding.
 */
final class UserDatabase implements NameService {
    private static final Path USERS = Path.of("/etc/passwd");
    private static final Path GROUPS = Path.of("/etc/group");
    private static final Path SOURCES = Path.of("/etc/nsswitch.conf");
    /** Sources that add no groups to those that the files have for a local user. */
    private static final Set<String> LOCAL = Set.of("files", "compat", "systemd", "db", "altfiles");

    private static final String[] ENVIRONMENT = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
    /** The exit code of getent when no source has the name. */
    private static final WaitStatus EXIT_UNKNOWN = new WaitStatus(2 << 8);

    private static final int MEMBERS = 3;
    private static final long LARGEST_ID = 0xffff_fffeL;

    static {
        NameService.register(new UserDatabase());
    }

    private UserDatabase() {}

    @Override
    public User user(String name, Duration bound) {
        requireNotNegative(bound);
        String key = key(name, "user");
        Optional<String[]> local = inFile(USERS, key);
        String[] fields = local.isPresent() ? local.get() : asked("passwd", key, bound);
        long gid = id(fields[3]).orElseThrow(() -> unknown("user", name));
        long uid = id(fields[2]).orElseThrow(() -> unknown("user", name));
        boolean filesSuffice =
                local.isPresent() && sources("initgroups", "group").allMatch(LOCAL::contains);
        return new User(uid, gid, filesSuffice ? groupsInFile(key, gid) : groupsAsked(key, gid, bound));
    }

    @Override
    public long group(String name, Duration bound) {
        requireNotNegative(bound);
        String key = key(name, "group");
        String[] fields = inFile(GROUPS, key).orElseGet(() -> asked("group", key, bound));
        return id(fields[2]).orElseThrow(() -> unknown("group", name));
    }

    private static void requireNotNegative(Duration bound) {
        if (Objects.requireNonNull(bound, "bound").isNegative()) {
            throw new IllegalArgumentException("bound " + bound + " is negative");
        }
    }

    private static String key(String name, String kind) {
        String key = text(Bytes.of(name, kind));
        if (key.isEmpty() || key.contains(":") || key.contains("\n")) {
            throw new IllegalArgumentException("'" + name + "' is no name of a " + kind);
        }
        return key;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static IllegalArgumentException unknown(String kind, String name) {
        return new IllegalArgumentException("this host knows no " + kind + " '" + name + "'");
    }

    /** The fields of the first well-formed line of this name. */
    private static Optional<String[]> inFile(Path file, String key) {
        return lines(file).filter(fields -> fields[0].equals(key)).findFirst();
    }

    private static long[] groupsInFile(String user, long primary) {
        LongStream member = lines(GROUPS)
                .filter(fields -> Arrays.asList(fields[MEMBERS].split(",")).contains(user))
                .mapToLong(fields -> id(fields[2]).orElse(primary));
        return LongStream.concat(LongStream.of(primary), member).distinct().toArray();
    }

    private static Stream<String[]> lines(Path file) {
        return read(file).lines().map(line -> line.split(":", -1)).filter(UserDatabase::isSound);
    }

    private static boolean isSound(String[] fields) {
        return fields.length > MEMBERS && id(fields[2]).isPresent();
    }

    /** A file that is missing or unreadable has no names. */
    private static String read(Path file) {
        try {
            return text(Files.readAllBytes(file));
        } catch (IOException e) {
            return "";
        }
    }

    private static Optional<Long> id(String digits) {
        return Optional.of(digits)
                .filter(text -> text.matches("\\d{1,10}"))
                .map(Long::valueOf)
                .filter(id -> id <= LARGEST_ID);
    }

    /** The sources in nsswitch.conf(5) for the first of these databases that it lists. */
    private static Stream<String> sources(String... databases) {
        List<String> lines = read(SOURCES)
                .lines()
                .map(line -> line.replaceFirst("#.*", "").strip())
                .toList();
        for (String database : databases) {
            for (String line : lines) {
                if (line.startsWith(database + ":")) {
                    return Stream.of(line.substring(database.length() + 1)
                            .replaceAll("\\[[^]]*]", " ")
                            .strip()
                            .split("\\s+"));
                }
            }
        }
        return Stream.of("files");
    }

    private static String[] asked(String database, String key, Duration bound) {
        String kind = database.equals("passwd") ? "user" : "group";
        RunResult answer = ask(bound, "getent", database, "--", key);
        String[] fields = text(answer.stdout()).lines().findFirst().orElse("").split(":", -1);
        // getent takes digits for an id, and then finds another name.
        if (answer.status().success() && isSound(fields) && fields[0].equals(key)) {
            return fields;
        }
        if (answer.status().success() || answer.status().equals(EXIT_UNKNOWN)) {
            throw unknown(kind, Bytes.toString(key.getBytes(StandardCharsets.ISO_8859_1)));
        }
        throw new UncheckedIOException(new IOException("getent " + database + " ended with " + answer.status()));
    }

    /** The groups that initgroups(3) would set. id -G lists the primary group first. */
    private static long[] groupsAsked(String user, long primary, Duration bound) {
        RunResult answer = ask(bound, "id", "-G", "--", user);
        if (!answer.status().success()) {
            throw new UncheckedIOException(new IOException("id -G ended with " + answer.status()));
        }
        LongStream groups = Stream.of(text(answer.stdout()).strip().split("\\s+"))
                .flatMap(word -> id(word).stream())
                .mapToLong(id -> id);
        return LongStream.concat(LongStream.of(primary), groups).distinct().toArray();
    }

    private static RunResult ask(Duration bound, String tool, String... arguments) {
        Path program = Stream.of("/usr/bin/", "/bin/")
                .map(directory -> Path.of(directory + tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() ->
                        new UncheckedIOException(new IOException("no " + tool + " to query other sources of names")));
        byte[][] argv = Stream.concat(Stream.of(tool), Stream.of(arguments))
                .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
                .toArray(byte[][]::new);
        byte[][] envp = Stream.of(ENVIRONMENT)
                .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
                .toArray(byte[][]::new);
        try {
            return UsermodeHelper.run(SubprocessInfo.of(Bytes.of(program.toString(), "path"), argv, envp), bound);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException("interrupted while " + tool + " ran"));
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException(tool + " could not look up a name: " + e.getMessage(), e));
        }
    }
}
