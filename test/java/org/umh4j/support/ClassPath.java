// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import java.util.stream.Stream;

/**
 * A copy of the class path, since the checkout and the local repository may be in directories that only root may
 * enter.
 */
final class ClassPath {
    private static String copy;

    private ClassPath() {}

    static synchronized String readableByAll() throws IOException {
        if (copy == null) {
            Path folder = Files.createDirectory(ProbeProgram.FOLDER.resolve("classpath"));
            StringJoiner joined = new StringJoiner(File.pathSeparator);
            int number = 0;
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                Path source = Path.of(entry);
                if (Files.exists(source)) {
                    Path target = folder.resolve(number++ + "-" + source.getFileName());
                    copy(source, target);
                    joined.add(target.toString());
                }
            }
            copy = joined.toString();
        }
        return copy;
    }

    private static void copy(Path source, Path target) throws IOException {
        try (Stream<Path> paths = Files.walk(source)) {
            paths.forEach(path -> {
                try {
                    Files.copy(path, target.resolve(source.relativize(path).toString()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
