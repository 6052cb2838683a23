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
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.UserLookup;
import org.umh4j.linux.WaitStatus;

/**
 * Looks up users and groups by name: first in {@code /etc/passwd} and {@code /etc/group}, then in the other sources of
 * {@code nsswitch.conf(5)}.
 *
 * <p>The programs {@code getent} and {@code id} query the other sources. They run as helpers with a timeout, so a
 * name service module that hangs or crashes does not affect the JVM. A name has no fixed encoding: all text is
 * decoded as ISO 8859-1, so names are compared byte by byte.
 */
final class NameServiceSwitch implements UserLookup {
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final Path GROUP = Path.of("/etc/group");
    private static final Path NSSWITCH = Path.of("/etc/nsswitch.conf");
    /** The sources that add no groups to those which the files have for a local user. */
    private static final Set<String> LOCAL_SOURCES = Set.of("files", "compat", "systemd", "db", "altfiles");

    private static final String[] ENVIRONMENT = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
    /** The exit status of getent(1) if no source has the name. */
    private static final WaitStatus NAME_NOT_FOUND = new WaitStatus(2 << 8);

    /** The index of the list of members in a line of {@code /etc/group}. */
    private static final int MEMBERS = 3;

    private static final long MAX_ID = 0xffff_fffeL;

    static {
        UserLookup.register(new NameServiceSwitch());
    }

    private NameServiceSwitch() {}

    @Override
    public User user(String name, Duration timeout) {
        Timeouts.requireNotNegative(timeout, "timeout");
        String key = key(name, "user");
        Optional<String[]> local = inFile(PASSWD, key);
        String[] fields = local.isPresent() ? local.get() : fromOtherSources("passwd", key, timeout);
        long gid = id(fields[3]).orElseThrow(() -> unknown("user", name));
        long uid = id(fields[2]).orElseThrow(() -> unknown("user", name));
        boolean filesSuffice =
                local.isPresent() && sources("initgroups", "group").allMatch(LOCAL_SOURCES::contains);
        return new User(uid, gid, filesSuffice ? groupsInFile(key, gid) : groupsFromOtherSources(key, gid, timeout));
    }

    @Override
    public long group(String name, Duration timeout) {
        Timeouts.requireNotNegative(timeout, "timeout");
        String key = key(name, "group");
        String[] fields = inFile(GROUP, key).orElseGet(() -> fromOtherSources("group", key, timeout));
        return id(fields[2]).orElseThrow(() -> unknown("group", name));
    }

    private static String key(String name, String kind) {
        String key = text(Bytes.of(name, kind));
        if (key.isEmpty() || key.contains(":") || key.contains("\n")) {
            throw new IllegalArgumentException(
                    "'" + name + "' can't be the name of a " + kind + ": it is empty, or has a colon or a newline");
        }
        return key;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static IllegalArgumentException unknown(String kind, String name) {
        return new IllegalArgumentException("this host has no " + kind + " '" + name + "'");
    }

    /** The fields of the first valid line with this name. */
    private static Optional<String[]> inFile(Path file, String key) {
        return lines(file).filter(fields -> fields[0].equals(key)).findFirst();
    }

    private static long[] groupsInFile(String user, long primary) {
        LongStream member = lines(GROUP)
                .filter(fields -> Arrays.asList(fields[MEMBERS].split(",")).contains(user))
                .mapToLong(fields -> id(fields[2]).orElse(primary));
        return LongStream.concat(LongStream.of(primary), member).distinct().toArray();
    }

    private static Stream<String[]> lines(Path file) {
        return read(file).lines().map(line -> line.split(":", -1)).filter(NameServiceSwitch::isValid);
    }

    private static boolean isValid(String[] fields) {
        return fields.length > MEMBERS && id(fields[2]).isPresent();
    }

    /** The text of a file; empty if it is missing or unreadable. */
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
                .filter(id -> id <= MAX_ID);
    }

    /** The sources in nsswitch.conf(5) for the first of these databases that it lists. */
    private static Stream<String> sources(String... databases) {
        List<String> lines = read(NSSWITCH)
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

    private static String[] fromOtherSources(String database, String key, Duration timeout) {
        String kind = database.equals("passwd") ? "user" : "group";
        RunResult result = query(timeout, "getent", database, "--", key);
        String[] fields = text(result.stdout()).lines().findFirst().orElse("").split(":", -1);
        // getent interprets digits as an id, and then returns the line of another name.
        if (result.status().success() && isValid(fields) && fields[0].equals(key)) {
            return fields;
        }
        if (result.status().success() || result.status().equals(NAME_NOT_FOUND)) {
            throw unknown(kind, Bytes.toString(key.getBytes(StandardCharsets.ISO_8859_1)));
        }
        throw new UncheckedIOException(new IOException("getent " + database + " failed: " + result.status()));
    }

    /** The groups that initgroups(3) would set. id -G lists the primary group first. */
    private static long[] groupsFromOtherSources(String user, long primary, Duration timeout) {
        RunResult result = query(timeout, "id", "-G", "--", user);
        if (!result.status().success()) {
            throw new UncheckedIOException(new IOException("id -G failed: " + result.status()));
        }
        LongStream groups = Stream.of(text(result.stdout()).strip().split("\\s+"))
                .flatMap(word -> id(word).stream())
                .mapToLong(id -> id);
        return LongStream.concat(LongStream.of(primary), groups).distinct().toArray();
    }

    private static RunResult query(Duration timeout, String tool, String... arguments) {
        Path program = Stream.of("/usr/bin/", "/bin/")
                .map(directory -> Path.of(directory + tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new UncheckedIOException(new IOException("neither /usr/bin/" + tool + " nor /bin/"
                        + tool + " exists; it is needed for names outside of /etc")));
        byte[][] argv = Stream.concat(Stream.of(tool), Stream.of(arguments))
                .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
                .toArray(byte[][]::new);
        byte[][] envp = Stream.of(ENVIRONMENT)
                .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
                .toArray(byte[][]::new);
        try {
            return UsermodeHelper.run(SubprocessInfo.of(Bytes.of(program.toString(), "path"), argv, envp), timeout);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException("interrupted while waiting for " + tool));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    new IOException("the lookup of a name by " + tool + " failed: " + e.getMessage(), e));
        }
    }
}
