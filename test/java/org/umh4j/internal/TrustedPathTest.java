// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** A path is trusted link by link. */
@RequiresRoot
final class TrustedPathTest {
    private static final Path TOP = ProbeProgram.FOLDER.resolve("trusted");
    private static final int NOBODY = 65_534;

    /** Directories of several owners, each with a file, a link of root, and a link of uid 65534. */
    @BeforeAll
    static void make() throws IOException {
        folder("root", 0755, 0);
        folder("sticky", 01777, 0);
        folder("open", 0777, 0);
        folder("grouped", 0775, 0);
        folder("nobody", 0755, NOBODY);
        for (String folder : new String[] {"root", "sticky", "open", "grouped", "nobody"}) {
            Path here = TOP.resolve(folder);
            Files.writeString(here.resolve("file"), folder);
            Files.createDirectory(here.resolve("in"));
            Files.writeString(here.resolve("in/file"), folder);
            link(here.resolve("link"), "../root/file", 0);
            link(here.resolve("theirs"), "../root/file", NOBODY);
            link(here.resolve("folder"), "../root/in", 0);
        }
        link(TOP.resolve("one"), "two", 0);
        link(TOP.resolve("two"), TOP + "/root/in/../link", 0);
        link(TOP.resolve("middle"), "sticky/theirs", 0);
        link(TOP.resolve("before"), "middle", 0);
        link(TOP.resolve("through"), "open/folder/../file", 0);
        link(TOP.resolve("loop"), "pool", 0);
        link(TOP.resolve("pool"), "loop", 0);
        link(TOP.resolve("up"), "../../../../../../../../.." + TOP + "/root/file", 0);
        for (int i = 0; i < 45; i++) {
            link(TOP.resolve("chain" + i), i == 0 ? "root/file" : "chain" + (i - 1), 0);
        }
    }

    private static void folder(String name, int mode, int owner) throws IOException {
        Path folder = Files.createDirectories(TOP.resolve(name));
        Files.setAttribute(folder, "unix:mode", mode);
        Files.setAttribute(folder, "unix:uid", owner);
    }

    private static void link(Path link, String target, int owner) throws IOException {
        Files.createSymbolicLink(link, Path.of(target));
        Files.setAttribute(link, "unix:uid", owner, LinkOption.NOFOLLOW_LINKS);
    }

    @ParameterizedTest
    @CsvSource({
        "root/file, root/file",
        "root/link, root/file",
        "root/../root/./file, root/file",
        "sticky/file, sticky/file",
        "sticky/link, root/file",
        "sticky/folder/../file, root/file",
        "one, root/file",
        "up, root/file",
        "chain39, root/file",
        "root/folder/../folder/file, root/in/file",
    })
    void chainOfTrustedLinksLeadsToItsEnd(String path, String end) throws IOException {
        assertEquals(TOP.resolve(end), TrustedPath.require(TOP.resolve(path)));
        assertEquals(TOP.resolve(path).toRealPath(), TrustedPath.require(TOP.resolve(path)));
    }

    /** And which component it is that is not. */
    @ParameterizedTest
    @CsvSource({
        "nobody/file, nobody belongs to uid 65534", "root/theirs, theirs belongs to uid 65534",
                "open/file, open can be written",
        "grouped/file, grouped can be written", "sticky/theirs, theirs belongs", "open/link, open can be written",
        "middle, sticky/theirs belongs", "before, sticky/theirs belongs", "through, open can be written",
        "open/../root/file, open can be written", "nobody/../root/file, nobody belongs",
                "root/../grouped/../root/file, grouped can",
        "loop, more than 40 links", "chain44, more than 40 links",
    })
    void chainWithALinkOfAnotherUserIsNotTrusted(String path, String output) {
        String message = assertThrows(IOException.class, () -> TrustedPath.require(TOP.resolve(path)))
                .getMessage();
        assertTrue(message.contains(output), message);
    }

    @Test
    void missingOrRelativePathIsRejected() {
        assertThrows(IOException.class, () -> TrustedPath.require(TOP.resolve("no")));
        assertThrows(IOException.class, () -> TrustedPath.require(TOP.resolve("root/file/more")));
        assertThrows(IOException.class, () -> TrustedPath.require(Path.of("root")));
    }
}
