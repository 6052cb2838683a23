// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import org.jspecify.annotations.Nullable;
import org.umh4j.task.Fs;
import picocli.CommandLine.Option;

/** The options for root directory, working directory and umask. */
final class DirectoryOptions {
    @Option(
            names = "--cwd",
            paramLabel = "PATH",
            description = "The working directory, below the helper's root. It is entered with the helper's ids and"
                    + " capabilities. Default: /.")
    private @Nullable String cwd;

    @Option(names = "--root", paramLabel = "PATH", description = "The root directory. Default: umh's.")
    private @Nullable String root;

    @Option(
            names = "--umask",
            paramLabel = "OCTAL",
            converter = UmaskConverter.class,
            description = "The umask, such as 077. Default: 022.")
    private @Nullable Integer umask;

    Fs fs() {
        Fs fs = cwd == null ? Fs.defaults() : Fs.defaults().cwd(CommandLineBytes.bytes(cwd, "--cwd"));
        fs = root == null ? fs : fs.root(CommandLineBytes.bytes(root, "--root"));
        return umask == null ? fs : fs.umask(umask);
    }

    /** 0 to 0777, octal. */
    static final class UmaskConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            if (!text.matches("0*[0-7]{1,3}")) {
                throw new IllegalArgumentException("'" + text + "' is not an octal number from 0 to 0777");
            }
            return Integer.parseInt(text, 8);
        }
    }
}
