// SPDX-License-Identifier: Apache-2.0
package org.umh4j.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;

/** The manual page and the completion have each option of {@code --help}. */
final class ManPageTest {
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]*");

    private static String umh(String... arguments) throws Exception {
        return new Jvm().run(Main.class, arguments).requireSuccess();
    }

    private static TreeSet<String> options(String text) {
        TreeSet<String> options = new TreeSet<>();
        Matcher matcher = OPTION.matcher(text);
        while (matcher.find()) {
            options.add(matcher.group());
        }
        return options;
    }

    @ParameterizedTest
    @ValueSource(strings = {"exec", "driver", "probe", "caps", "sysctl", "doctor"})
    void everyOptionIsInTheManualPage(String command) throws Exception {
        String page = umh("man").replace("\\-", "-").replaceAll("\\\\f[BIP]", " ");
        int begin = page.indexOf(".SH UMH " + command.toUpperCase(java.util.Locale.ROOT) + "\n");
        assertTrue(begin >= 0, "no section on " + command);
        String section = page.substring(begin, page.indexOf("\n.SH ", begin + 1));
        TreeSet<String> missing = options(umh(command, "--help"));
        missing.removeAll(options(section));
        assertEquals(new TreeSet<String>(), missing);
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate-completion", "zsh"})
    void everyOptionIsCompleted(String shell) throws Exception {
        TreeSet<String> missing = options(umh("exec", "--help"));
        missing.removeAll(options(umh(shell)));
        assertEquals(new TreeSet<String>(), missing);
    }

    @Test
    @RequiresRoot
    void everyExampleOfTheManualPageWorks() throws Exception {
        String page = umh("man").replace("\\-", "-");
        Matcher example =
                Pattern.compile("(?m)^\\\\fBumh (.*)\\\\fP$").matcher(page.substring(page.indexOf(".SH EXAMPLES")));
        int count = 0;
        while (example.find()) {
            umh(example.group(1).split(" "));
            count++;
        }
        assertTrue(count >= 4, page);
    }
}
