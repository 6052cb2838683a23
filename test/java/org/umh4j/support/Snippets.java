// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.umh4j.cli.Main;

/** The code blocks of a document, each with the block of expected output that follows it. */
public final class Snippets {
    private static final Pattern BLOCK =
            Pattern.compile("(?sm)^```(java|sh)\\n(.*?)^```\\n(?:\\n```text\\n(.*?)^```\\n)?");

    private Snippets() {}

    /** One block: its language, its text, and its output; null if the page shows none. */
    public record Snippet(Path document, String heading, String language, String code, String output) {
        @Override
        public String toString() {
            return document.getFileName() + ": " + heading + " (" + language + ")";
        }

        /** The output of the block in a new JVM or shell. */
        public String run() throws IOException, InterruptedException {
            return language.equals("java") ? runJava() : runShell();
        }

        private String runJava() throws IOException, InterruptedException {
            Path folder = Files.createTempDirectory(ProbeProgram.FOLDER, "snippet");
            Path source = Files.writeString(
                    folder.resolve("Snippet.java"),
                    "import java.nio.file.*;\nimport java.time.Duration;\nimport java.util.*;\nimport org.umh4j.*;\n"
                            + "import org.umh4j.linux.*;\nimport org.umh4j.task.*;\n"
                            + lines(true)
                            + "public class Snippet { public static void main(String[] arguments) throws Exception {\n"
                            + lines(false) + "}}\n");
            String classPath = System.getProperty("java.class.path");
            Snippets.run(List.of(
                    System.getProperty("java.home") + "/bin/javac",
                    "-cp",
                    classPath,
                    "-d",
                    folder.toString(),
                    source.toString()));
            List<String> command = new Jvm().command(Main.class);
            int at = command.indexOf("-cp") + 1;
            command.set(at, classPath + ":" + folder);
            command.set(at + 1, "Snippet");
            return Snippets.run(command);
        }

        /** The lines that import, which stand before a class, or all others. */
        private String lines(boolean imports) {
            return code.lines()
                    .filter(line -> line.startsWith("import ") == imports)
                    .map(line -> line + "\n")
                    .reduce("", String::concat);
        }

        /** The start script finds a packaged jar; the tests run before there is one. */
        private String runShell() throws IOException, InterruptedException {
            String umh = String.join(" ", new Jvm().command(Main.class));
            return Snippets.run(List.of("bash", "-ec", code.replace("./umh ", umh + " ")));
        }
    }

    /** Any block; one of plain text right behind another block is what that prints. */
    public record Block(Path document, String language, String text, boolean isOutput) {}

    /** All blocks of a document, whatever they are. */
    public static List<Block> blocks(Path document) throws IOException {
        List<Block> blocks = new ArrayList<>();
        Matcher matcher = Pattern.compile("(?sm)^```(\\w*)\\n(.*?)^```\\n").matcher(Files.readString(document));
        int end = -1;
        while (matcher.find()) {
            boolean output = matcher.group(1).equals("text")
                    && matcher.start() == end + 1
                    && blocks.get(blocks.size() - 1).language().matches("java|sh");
            blocks.add(new Block(document, matcher.group(1), matcher.group(2), output));
            end = matcher.end();
        }
        return blocks;
    }

    /** The documents of this project. */
    public static List<Path> documents() throws IOException {
        try (Stream<Path> files = Files.find(
                Path.of(""),
                3,
                (path, attributes) ->
                        path.toString().endsWith(".md") && !path.startsWith("target") && attributes.isRegularFile())) {
            return files.sorted().toList();
        }
    }

    /** All blocks of a document that can be run. */
    public static List<Snippet> of(Path document) throws IOException {
        String text = Files.readString(document);
        List<Snippet> snippets = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            String before = text.substring(0, matcher.start());
            String heading = before.substring(before.lastIndexOf("\n#") + 1)
                    .lines()
                    .findFirst()
                    .orElse("");
            snippets.add(new Snippet(
                    document, heading.replaceFirst("^#+ ", ""), matcher.group(1), matcher.group(2), matcher.group(3)));
        }
        return snippets;
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes());
        int status = process.waitFor();
        if (status != 0) {
            throw new AssertionError("ended with " + status + "\n" + out);
        }
        return out;
    }
}
