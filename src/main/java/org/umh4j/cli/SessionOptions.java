// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Signal;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import picocli.CommandLine.Option;

/** The options for signals, session, process group and terminal. */
final class SessionOptions {
    @Option(
            names = "--pdeathsig",
            paramLabel = "SIGNAL",
            converter = DeathSignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "The signal that the helper receives when umh ends. Default: none.")
    private @Nullable Signal parentDeath;

    @Option(
            names = "--block",
            paramLabel = "SIGNAL,SIGNAL",
            split = ",",
            hideParamSyntax = true,
            converter = SignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "Blocks these signals. Default: none.")
    private List<Integer> blocked = new ArrayList<>();

    @Option(
            names = "--ignore",
            paramLabel = "SIGNAL,SIGNAL",
            split = ",",
            hideParamSyntax = true,
            converter = SignalConverter.class,
            completionCandidates = SignalConverter.class,
            description = "Ignores these signals. Default: none.")
    private List<Integer> ignored = new ArrayList<>();

    @Option(names = "--setsid", description = "Starts the helper in a new session. This is the default.")
    private boolean setsid;

    @Option(names = "--setpgid", description = "Starts the helper in umh's session, in a new process group.")
    private boolean setpgid;

    @Option(names = "--inherit-session", description = "Starts the helper in umh's session and process group.")
    private boolean inheritsSession;

    @Option(
            names = "--terminal",
            paramLabel = "N",
            converter = TerminalConverter.class,
            description = "Starts the helper in a new session with a controlling terminal: umh's descriptor N.")
    private @Nullable Integer terminal;

    SignalState signals() {
        SignalState signals = SignalState.defaults().block(numbers(blocked)).ignore(numbers(ignored));
        return parentDeath == null ? signals : signals.parentDeathSignal(parentDeath);
    }

    private static int[] numbers(List<Integer> signals) {
        return signals.stream().mapToInt(i -> i).toArray();
    }

    Session session() {
        long chosen = Stream.of(setsid || terminal != null, setpgid, inheritsSession)
                .filter(isGiven -> isGiven)
                .count();
        if (chosen > 1) {
            throw new IllegalArgumentException(
                    "one of --setsid, --setpgid and --inherit-session; --terminal includes --setsid");
        }
        if (terminal != null) {
            return Session.terminal(terminal);
        }
        return setpgid ? Session.newGroup() : inheritsSession ? Session.inherited() : Session.newSession();
    }

    /** The number of a signal that can be blocked and ignored. */
    static final class SignalConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            int number = Signal.number(text);
            SignalState.defaults().block(number);
            return number;
        }

        @Override
        List<String> candidates() {
            return Stream.of(Signal.values()).map(Signal::name).toList();
        }
    }

    /** A signal other than the real-time signals. */
    static final class DeathSignalConverter extends ValueConverter<Signal> {
        @Override
        Signal parse(String text) {
            int number = Signal.number(text);
            return Stream.of(Signal.values())
                    .filter(signal -> signal.number() == number)
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'" + text + "' is a real-time signal"));
        }
    }

    /** A descriptor of umh. */
    static final class TerminalConverter extends ValueConverter<Integer> {
        @Override
        Integer parse(String text) {
            return NumberParser.integer(text);
        }
    }
}
