// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.umh4j.support.CapabilityModel.Program;

/** A program with file capabilities. It gets those that it may inherit, and none is effective. */
public enum CapableProgram {
    /** All of them in the effective set at once; the program must get them all. */
    EFFECTIVE("cap_kill,cap_net_bind_service,cap_net_raw=ep", 1 << 5 | 1 << 10 | 1 << 13, 0, true),
    /** Its capabilities depend on those that it may inherit, and none is effective. */
    INHERITABLE("cap_kill,cap_net_admin=p cap_chown,cap_net_raw=i", 1 << 5 | 1 << 12, 1 << 0 | 1 << 13, false);

    private final String text;
    private final Program program;

    CapableProgram(String text, long permitted, long inheritable, boolean effective) {
        this.text = text;
        this.program = new Program(true, permitted, inheritable, effective);
    }

    /** For the model; a file system that is mounted nosuid has no file capabilities. */
    public Program program() throws IOException {
        return isIgnored() ? Program.PLAIN : program;
    }

    /** The plain probe, and one with each of these. */
    public static List<Path> install() throws IOException, InterruptedException {
        List<Path> paths = new ArrayList<>(List.of(Path.of(ProbeProgram.path())));
        for (CapableProgram program : values()) {
            Path path = ProbeProgram.FOLDER.resolve("probe-" + program.name().toLowerCase(Locale.ROOT));
            Files.deleteIfExists(path);
            Files.copy(paths.get(0), path, StandardCopyOption.COPY_ATTRIBUTES);
            int status = new ProcessBuilder("setcap", program.text, path.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IOException("setcap answered " + status);
            }
            paths.add(path);
        }
        return paths;
    }

    private static boolean isIgnored() throws IOException {
        String longest = "";
        String options = "";
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            String[] fields = line.split(" ");
            if (ProbeProgram.FOLDER.startsWith(fields[4]) && fields[4].length() >= longest.length()) {
                longest = fields[4];
                options = fields[5];
            }
        }
        return List.of(options.split(",")).contains("nosuid");
    }
}
