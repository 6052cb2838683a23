// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the constants of a C header. */
public final class HeaderFile {
    private HeaderFile() {}

    /** Returns the value of each {@code #define} that matches the form, whose group 1 is the name and 2 the value. */
    public static Map<String, Integer> constants(String file, String form) throws IOException {
        Map<String, Integer> values = new HashMap<>();
        Matcher matcher = Pattern.compile("#\\s*define\\s+" + form).matcher(Files.readString(Path.of(file)));
        while (matcher.find()) {
            values.put(matcher.group(1), Integer.parseInt(matcher.group(2)));
        }
        return values;
    }
}
