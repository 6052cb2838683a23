// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.support.Leaks;
import org.umh4j.support.OpenDescriptors;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.Shell;

/** Merged, swapped and shared descriptors, compared with the same redirections in a shell. */
@ExtendWith(Leaks.class)
final class RedirectionTest {
    private static final int DEPTH = 3;
    private static final Path ONE = ProbeProgram.FOLDER.resolve("one");
    private static final Path TWO = ProbeProgram.FOLDER.resolve("two");

    /** One redirection: {@code 2>&1}, or {@code 2>&-} where there is no other. */
    private record Redirection(int target, int other) {
        private static final int NONE = -1;

        static List<Redirection> all() {
            List<Redirection> all = new ArrayList<>();
            for (int target = 1; target <= 3; target++) {
                for (int other : new int[] {1, 2, 3, NONE}) {
                    all.add(new Redirection(target, other));
                }
            }
            return all;
        }

        Descriptors of(Descriptors files) {
            return other == NONE ? files.without(target) : files.duplicate(target, other);
        }

        @Override
        public String toString() {
            return target + ">&" + (other == NONE ? "-" : other);
        }
    }

    private static Descriptors start() {
        return Descriptors.none()
                .open(1, ONE.toString(), StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                .open(
                        2,
                        TWO.toString(),
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
    }

    /** All lists of up to three redirections that duplicate only open descriptors, and their results. */
    private static void enumerate(List<Redirection> before, Descriptors files, Map<String, Descriptors> all) {
        all.put(before.stream().map(Redirection::toString).collect(Collectors.joining(" ")), files);
        for (Redirection next : before.size() == DEPTH ? List.<Redirection>of() : Redirection.all()) {
            if (next.other() == Redirection.NONE || files.contains(next.other())) {
                List<Redirection> longer = new ArrayList<>(before);
                longer.add(next);
                enumerate(longer, next.of(files), all);
            }
        }
    }

    /** Each writable descriptor prints its number in the line of its list. */
    private static Map<String, Map<Integer, String>> shell(Iterable<String> lists) throws Exception {
        StringBuilder script = new StringBuilder();
        for (String list : lists) {
            script.append("( exec >>").append(ONE).append(" 2>>").append(TWO).append(" 3>&-\n");
            script.append(list.isEmpty() ? "" : "exec " + list + "\n");
            for (int fd = 1; fd <= 3; fd++) {
                script.append("echo '")
                        .append(list)
                        .append(" = ")
                        .append(fd)
                        .append("' >&")
                        .append(fd)
                        .append("\n");
            }
            script.append(")\n");
        }
        Path file = ProbeProgram.FOLDER.resolve("redirections.sh");
        Files.writeString(file, script);
        new ProcessBuilder("/bin/sh", file.toString()).start().waitFor();
        Map<String, Map<Integer, String>> maps = new TreeMap<>();
        lists.forEach(list -> maps.put(list, new TreeMap<>()));
        for (Path output : List.of(ONE, TWO)) {
            for (String line : Files.readAllLines(output)) {
                String[] parts = line.split(" = ", 2);
                if (parts.length == 2) { // else the shell reports a closed descriptor
                    maps.get(parts[0]).put(Integer.valueOf(parts[1]), output.toString());
                }
            }
        }
        return maps;
    }

    @Test
    void redirectionsEqualThoseOfAShell() throws Exception {
        Map<String, Descriptors> lists = new TreeMap<>();
        enumerate(List.of(), start(), lists);
        Map<String, Map<Integer, String>> expected = shell(lists.keySet());
        Path report = ProbeProgram.FOLDER.resolve("fds");
        Map<String, Map<Integer, String>> actual = new TreeMap<>();
        for (Map.Entry<String, Descriptors> list : lists.entrySet()) {
            actual.put(list.getKey(), OpenDescriptors.ofHelper(list.getValue(), report));
        }
        assertEquals(expected.size(), actual.size());
        expected.forEach((list, map) -> assertEquals(map, actual.get(list), list));
    }

    @Test
    void missingDescriptorCanNotBeDuplicated() {
        assertThrows(IllegalArgumentException.class, () -> Descriptors.none().duplicate(2, 1));
        assertThrows(IllegalArgumentException.class, () -> start().without(2).duplicate(2, 2));
    }

    @Test
    void mergedStreamHasBothInOrder() throws Exception {
        SubprocessInfo info = Shell.script("echo a; echo b >&2; echo c; echo d >&2")
                .task(Task.defaults()
                        .descriptors(Descriptors.none().pipeToJvm(1).duplicate(2, 1)));
        try (Helper helper = UsermodeHelper.start(info)) {
            assertEquals("a\nb\nc\nd\n", new String(helper.stdout().readAllBytes(), StandardCharsets.US_ASCII));
            assertThrows(java.util.NoSuchElementException.class, helper::stderr);
        }
    }

    @Test
    void swappedStreamsAreExchanged() throws Exception {
        Descriptors files = Descriptors.none()
                .pipeToJvm(1)
                .pipeToJvm(2)
                .duplicate(3, 1)
                .duplicate(1, 2)
                .duplicate(2, 3)
                .without(3);
        try (Helper helper = UsermodeHelper.start(
                Shell.script("echo out; echo err >&2").task(Task.defaults().descriptors(files)))) {
            // The pipe that was made for 1 is 2's by now, and found under that number.
            assertEquals("err\n", new String(helper.stderr().readAllBytes(), StandardCharsets.US_ASCII));
            assertEquals("out\n", new String(helper.stdout().readAllBytes(), StandardCharsets.US_ASCII));
        }
    }

    @Test
    void twoHelpersThatAppendToOneFileLoseNothing() throws Exception {
        int lines = 2_000;
        Path log = ProbeProgram.FOLDER.resolve("log");
        String script = "i=0; while [ $i -lt $1 ]; do echo $2 $i; i=$((i + 1)); done";
        List<Helper> helpers = new ArrayList<>();
        for (String name : new String[] {"first", "second"}) {
            helpers.add(UsermodeHelper.start(Shell.script(script, "" + lines, name)
                    .task(Task.defaults()
                            .descriptors(Descriptors.none()
                                    .open(
                                            1,
                                            log.toString(),
                                            StandardOpenOption.WRITE,
                                            StandardOpenOption.CREATE,
                                            StandardOpenOption.APPEND)))));
        }
        for (Helper helper : helpers) {
            assertEquals(0, helper.waitFor().exitCode());
            helper.close();
        }
        List<String> written = Files.readAllLines(log);
        assertEquals(2 * lines, written.size());
        assertEquals(2 * lines, new TreeSet<>(written).size());
        for (String name : new String[] {"first", "second"}) {
            List<String> own =
                    written.stream().filter(line -> line.startsWith(name)).toList();
            for (int i = 0; i < lines; i++) {
                assertEquals(name + " " + i, own.get(i));
            }
        }
    }
}
