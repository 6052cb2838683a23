// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The contents of the two built files: launcher and library. */
final class LauncherBinaryTest {
    private static final Path FILES = Path.of("target/classes/org/umh4j/internal/linux-x86_64");
    private static final Path OBJECTS =
            Path.of("target/objects-" + FILES.getFileName().toString().replace("linux-", ""));
    private static final long THREE_PAGES = 12_288;

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        return out;
    }

    @Test
    void launcherIsThreePagesWithoutWritableData() throws Exception {
        String headers = run("readelf", "-lW", FILES.resolve("launcher.elf").toString());
        Matcher load = Pattern.compile("LOAD +0x0+ 0x\\w+ 0x\\w+ 0x(\\w+) 0x(\\w+) (\\S ?\\S ?\\S?) ")
                .matcher(headers);
        assertTrue(load.find(), headers);
        assertTrue(Long.parseLong(load.group(2), 16) <= THREE_PAGES, headers);
        assertEquals("R E", load.group(3).trim());
        assertTrue(!load.find(), "more than one segment\n" + headers);
        assertTrue(Pattern.compile("GNU_STACK.* RW ").matcher(headers).find(), headers);
        assertTrue(!headers.contains("INTERP") && !headers.contains("DYNAMIC"), headers);
    }

    /** Every symbol that one of its objects needs is defined by another one of them: there is no libc in it. */
    @Test
    void launcherHasNoUndefinedSymbol() throws Exception {
        TreeSet<String> needed = new TreeSet<>();
        TreeSet<String> defined = new TreeSet<>();
        try (var files = Files.list(OBJECTS.resolve("launcher"))) {
            var objects = files.filter(file -> file.toString().endsWith(".o"));
            for (Path object : (Iterable<Path>) objects::iterator) {
                for (String line : run("nm", object.toString()).split("\n")) {
                    String[] words = line.trim().split(" +");
                    (words[0].equals("U") ? needed : defined).add(words[words.length - 1]);
                }
            }
        }
        needed.removeAll(defined);
        needed.remove("__ehdr_start"); // the linker's: where the file begins
        assertEquals(new TreeSet<String>(), needed);
    }

    @Test
    void libraryExportsOnlyJniFunctions() throws Exception {
        for (String line : run(
                        "nm",
                        "-D",
                        "--defined-only",
                        FILES.resolve("libumh4j.so").toString())
                .split("\n")) {
            assertTrue(line.matches(".* T Java_org_umh4j_internal_Native_\\w+"), line);
        }
    }

    @Test
    void libraryNeedsLibcAlone() throws Exception {
        List<String> needed = new java.util.ArrayList<>();
        Matcher matcher = Pattern.compile("\\(NEEDED\\).*\\[(.*)]")
                .matcher(run("readelf", "-dW", FILES.resolve("libumh4j.so").toString()));
        while (matcher.find()) {
            needed.add(matcher.group(1));
        }
        assertEquals(List.of("libc.so.6"), needed);
    }

    /** A symbol's version is the first glibc's that has it; the loader of an older one would refuse the library. */
    @Test
    void libraryNeedsOnlyTheDocumentedGlibc() throws Exception {
        String docs = Files.readString(Path.of("docs/compatibility.md"));
        Matcher promise = Pattern.compile("glibc (\\d+)\\.(\\d+) and newer").matcher(docs);
        assertTrue(promise.find(), "docs/compatibility.md names no glibc");
        int found = 0;
        for (String platform : List.of("linux-x86_64", "linux-arm64")) {
            Path library = FILES.resolveSibling(platform).resolve("libumh4j.so");
            if (!Files.exists(library)) {
                continue; // of another architecture, which a plain build leaves out
            }
            Matcher needed = Pattern.compile("\\b(GLIBC_(\\w+)(?:\\.(\\d+))?[.\\d]*)")
                    .matcher(run("readelf", "-VW", library.toString()));
            while (needed.find()) {
                found++;
                assertTrue(isAtMost(needed.group(2), needed.group(3), promise), library + " needs " + needed.group(1));
            }
        }
        assertTrue(found > 0, "no version found at all");
    }

    /** A version without numbers, such as GLIBC_PRIVATE or GLIBC_ABI_DT_RELR, belongs to newer releases or to one. */
    private static boolean isAtMost(String major, String minor, Matcher promise) {
        return minor != null
                && Integer.parseInt(major) == Integer.parseInt(promise.group(1))
                && Integer.parseInt(minor) <= Integer.parseInt(promise.group(2));
    }

    @Test
    void libraryIsHardened() throws Exception {
        String dynamic = run("readelf", "-dlW", FILES.resolve("libumh4j.so").toString());
        assertTrue(dynamic.contains("BIND_NOW"), dynamic);
        assertTrue(dynamic.contains("GNU_RELRO"), dynamic);
        assertTrue(Pattern.compile("GNU_STACK.* RW ").matcher(dynamic).find(), dynamic);
        assertTrue(!dynamic.contains("RUNPATH") && !dynamic.contains("RPATH"), dynamic);
        assertTrue(!dynamic.contains("TEXTREL"), dynamic);
    }

    /** The linker omits the mark if one object lacks it. A program without libc has no loader that reads it. */
    @Test
    void libraryIsMarkedForBranchTrackingAndShadowStack() throws Exception {
        String notes = run("readelf", "-nW", FILES.resolve("libumh4j.so").toString());
        assertTrue(notes.contains("x86 feature: IBT, SHSTK"), notes);
    }

    @Test
    void nothingIsWritableAndExecutable() throws Exception {
        for (String file : List.of("libumh4j.so", "launcher.elf", "probe.elf")) {
            String headers = run("readelf", "-lW", FILES.resolve(file).toString());
            assertTrue(!Pattern.compile(" RWE ").matcher(headers).find(), file + "\n" + headers);
        }
    }

    /** The child in the JVM's memory: from clone to exec it calls no function of another library. */
    @Test
    void childCallsNoLibcBeforeExec() throws Exception {
        String code = run(
                "objdump",
                "-d",
                "--no-show-raw-insn",
                OBJECTS.resolve("shim/child.o").toString());
        Matcher child =
                Pattern.compile("(?ms)^\\w+ <umh_child_main>:\\n(.*?)\\n\\n").matcher(code + "\n\n");
        assertTrue(child.find(), "no umh_child_main");
        Matcher call = Pattern.compile("call +\\w+ <(\\w+)").matcher(child.group(1));
        TreeSet<String> called = new TreeSet<>();
        while (call.find()) {
            called.add(call.group(1));
        }
        called.removeIf(name -> name.equals("umh_child_main"));
        String own = run("nm", OBJECTS.resolve("shim/child.o").toString());
        for (String name : called) {
            assertTrue(Pattern.compile("(?m) [tT] " + name + "$").matcher(own).find(), name + " is not its own");
        }
    }
}
