// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.umh4j.cli.Main;
import org.umh4j.support.Jvm;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Cred;

/**
 * Names of users and groups, from {@code /etc/passwd} and {@code /etc/group}, then from the other sources of the
 * host. The tests run in a mount namespace with new files.
 */
@RequiresRoot
final class NameServiceSwitchTest {
    private static final String[] ID = {
        "/bin/sh", "-c", "grep -E '^(Uid|Gid|Groups)' /proc/self/status | tr -s '\\t ' ' ' | cut -d' ' -f2-"
    };

    @TempDir
    private Path directory;

    private String binds = "";

    private NameServiceSwitchTest with(String file, String content) throws Exception {
        Path replacement = Files.createTempFile(directory, "file", "");
        Files.writeString(replacement, content);
        assertTrue(replacement.toFile().setExecutable(true, false));
        binds += "mount --bind " + replacement + " " + file + "; ";
        return this;
    }

    private Jvm.Outcome umh(String... arguments) throws Exception {
        return new Jvm()
                .after(binds + ":")
                .under("unshare", "--mount")
                .variable("LC_ALL=C.UTF-8")
                .run(Main.class, arguments);
    }

    private String helperOf(String... options) throws Exception {
        String[] arguments = new String[1 + options.length + ID.length];
        arguments[0] = "exec";
        System.arraycopy(options, 0, arguments, 1, options.length);
        System.arraycopy(ID, 0, arguments, 1 + options.length, ID.length);
        return umh(arguments).requireSuccess().replace("\n", "|").replace(" |", "|");
    }

    private static String four(long id) {
        return (id + " ").repeat(4).strip();
    }

    @Test
    void localUserHasTheGroupsOfTheFiles() throws Exception {
        with("/etc/passwd", "root:x:0:0::/:/bin/sh\nplain:x:7002:7001::/:/bin/sh\n");
        with("/etc/group", "root:x:0:\na:x:7003:plain\nb:x:7004:other,plain\nc:x:7005:plainer\n");
        with("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd # sss\n");
        with("/usr/bin/id", "#!/bin/sh\nexit 1\n");
        assertEquals(four(7002) + "|" + four(7001) + "|7001 7003 7004|", helperOf("--uid", "plain"));
    }

    @Test
    void nameIsComparedByBytes() throws Exception {
        with("/etc/passwd", "root:x:0:0::/:/bin/sh\nmüller:x:7001:7001::/:/bin/sh\n");
        with("/etc/group", "müller:x:7001:\nbüro:x:7009:müller\n").with("/etc/nsswitch.conf", "group: files\n");
        assertEquals(four(7001) + "|" + four(7001) + "|7001 7009|", helperOf("--uid", "müller"));
        assertEquals(
                "7009",
                umh("exec", "--gid", "büro", "/usr/bin/id", "-g")
                        .requireSuccess()
                        .strip());
    }

    @Test
    void malformedLineIsNoUser() throws Exception {
        with(
                "/etc/passwd",
                "# comment\n\n+::::::\nu:x::0\nu:x:-1:0::/:\nu:x:99999999999:0:::\n"
                        + "u:x:4294967295:1::/:\nu:x:7010:7011::/:/bin/sh\n");
        with("/etc/group", "\n:\n::::\ng:x:x:u\n").with("/etc/nsswitch.conf", "");
        assertEquals(four(7010) + "|" + four(7011) + "|7011|", helperOf("--uid", "u"));
    }

    @Test
    void unknownNameIsLookedUpByNss() throws Exception {
        with("/usr/bin/getent", """
                #!/bin/sh
                [ "$2" = -- ] || exit 9
                case "$1 $3" in
                "passwd far") echo far:x:7100:7101::/:/bin/sh ;;
                "group near") echo near:x:7200: ;;
                "passwd 4242") echo other:x:4242:4242::/:/bin/sh ;;
                *) exit 2 ;;
                esac
                """);
        with("/usr/bin/id", "#!/bin/sh\n[ \"$1 $2 $3\" = '-G -- far' ] && echo 7101 7102 7103\n");
        assertEquals(four(7100) + "|" + four(7101) + "|7101 7102 7103|", helperOf("--uid", "far"));
        assertEquals(four(7200), helperOf("--gid", "near").split("\\|")[1]);
        assertEquals("this host has no user 'nowhere'", said("nowhere"));
    }

    private String said(String name) throws Exception {
        Jvm.Outcome outcome = umh("exec", "--uid", name, "/bin/true");
        assertEquals(125, outcome.exitCode());
        return outcome.err().strip().replaceFirst("^umh exec: (--uid: )?", "");
    }

    @Test
    void groupsComeFromTheSourcesOfNsswitch() throws Exception {
        with("/etc/passwd", "plain:x:7002:7001::/:/bin/sh\n").with("/etc/nsswitch.conf", "group: files sss\n");
        with("/usr/bin/id", "#!/bin/sh\necho 7001 7300\n");
        assertEquals(four(7002) + "|" + four(7001) + "|7001 7300|", helperOf("--uid", "plain"));
    }

    @Test
    void hangingSourceTimesOut() throws Exception {
        with("/usr/bin/getent", "#!/bin/sh\nexec sleep 600\n");
        assertEquals("the lookup of a name by getent failed", said("slow").replaceFirst(":.*", ""));
    }

    @Test
    void unknownUserIsRejected() {
        for (String name : new String[] {"", "a:b", "a\nb", "a\0b"}) {
            org.junit.jupiter.api.Assertions.assertThrows(
                    IllegalArgumentException.class, () -> Cred.defaults().user(name), name);
        }
        org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class, () -> Cred.defaults().user("root", Duration.ofNanos(-1)));
    }
}
