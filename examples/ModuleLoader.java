// SPDX-License-Identifier: Apache-2.0

import java.util.Arrays;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;

/** Loads a kernel module as {@code request_module()} does: by {@code modprobe -q}, with a fixed environment. */
public class ModuleLoader {
    /** The programs in the order of their trial; the next one is tried if one is not installed. */
    private static final String[] PROGRAMS = {"/sbin/modprobe", "/usr/sbin/modprobe", "/bin/kmod-modprobe"};

    /** {@code ModuleLoader MODULE [PROGRAM...]}: exits with 0 if the module is loaded, 1 if a program refused it. */
    public static void main(String[] arguments) {
        String[] programs = arguments.length > 1 ? Arrays.copyOfRange(arguments, 1, arguments.length) : PROGRAMS;
        for (String program : programs) {
            SubprocessInfo info = SubprocessInfo.of(
                    program, new String[] {program, "-q", "--", arguments[0]}, UsermodeHelper.kernelEnvironment());
            int retval = UsermodeHelper.exec(info, UmhWait.PROC.killable());
            if (retval >= 0) {
                System.out.println(program + (retval == 0 ? " loaded " : " refused ") + arguments[0]);
                System.exit(retval == 0 ? 0 : 1);
            }
            UmhException failure = info.failure().orElseThrow();
            System.out.println(program + ": " + failure.stage() + " " + failure.errnoName());
            if (!failure.errnoName().equals("ENOENT")) {
                break; // this program is installed, so its failure is final
            }
        }
        System.exit(2);
    }
}
