// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The metadata for native images lists classes looked up by name, and resources. */
final class NativeImageMetadataTest {
    private static final String METADATA = "/META-INF/native-image/org.umh4j/umh4j/reachability-metadata.json";
    private static final Path JAVA = Path.of("src/main/java/org/umh4j");

    private static JsonNode metadata() throws IOException {
        try (InputStream in = NativeImageMetadataTest.class.getResourceAsStream(METADATA)) {
            return new ObjectMapper().readTree(in);
        }
    }

    /** The sources of the library; the command line is no part of an application's native image. */
    private static String librarySources() throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.walk(JAVA)) {
            for (Path file :
                    (Iterable<Path>) files.filter(file -> file.toString().endsWith(".java"))
                            .filter(file -> !file.startsWith(JAVA.resolve("cli")))::iterator) {
                text.append(Files.readString(file));
            }
        }
        return text.toString();
    }

    private static TreeSet<String> found(String regex, String text) {
        TreeSet<String> names = new TreeSet<>();
        Matcher matcher = Pattern.compile(regex).matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    private static TreeSet<String> types(JsonNode entries) {
        TreeSet<String> types = new TreeSet<>();
        entries.forEach(entry -> types.add(entry.path("type").asText()));
        return types;
    }

    @Test
    void classesLookedUpByNameAreListed() throws Exception {
        assertEquals(
                found("Class\\.forName\\(\"([\\w.]+)\"", librarySources()),
                types(metadata().path("reflection")));
    }

    /** A lookup with constant names is seen by the image builder; any other kind of reflection would need an entry. */
    @Test
    void nothingElseIsReflective() throws Exception {
        assertEquals(
                new TreeSet<>(),
                found(
                        "\\b(getDeclared\\w+|getMethods?\\(|getFields?\\(|newProxyInstance|ServiceLoader)",
                        librarySources()));
        assertEquals(new TreeSet<>(java.util.Set.of("VirtualThreads")), classesWith("MethodHandles\\."));
    }

    private static TreeSet<String> classesWith(String regex) throws IOException {
        TreeSet<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.walk(JAVA)) {
            for (Path file :
                    (Iterable<Path>) files.filter(file -> file.toString().endsWith(".java"))::iterator) {
                if (Pattern.compile(regex).matcher(Files.readString(file)).find()) {
                    names.add(file.getFileName().toString().replace(".java", ""));
                }
            }
        }
        return names;
    }

    @Test
    void nativeMethodsAreInOneClassAndExported() throws Exception {
        assertEquals(
                new TreeSet<>(java.util.Set.of("Native")), classesWith("\\bstatic native |\\bnative \\w+ \\w+\\("));
        JsonNode jni = metadata().path("jni");
        assertTrue(types(jni).contains("org.umh4j.internal.Native"), "the glue is bound to it by name");
    }

    /** Each class whose field the shim asks for by name. */
    @Test
    void fieldsReadByTheShimAreListed() throws Exception {
        String shim = Files.readString(Path.of("src/main/native/jni/files.c"));
        assertEquals(new TreeSet<>(java.util.Set.of("fd", "fdObj")), found("field\\(env, object, \"(\\w+)\"", shim));
        assertTrue(types(metadata().path("jni")).contains("java.io.FileDescriptor"));
        for (String channel : new String[] {
            "File",
            "Socket",
            "ServerSocket",
            "Datagram",
            "Source",
            "Sink",
            "AsynchronousFile",
            "AsynchronousSocket",
            "AsynchronousServerSocket"
        }) {
            String type = "sun.nio.ch." + channel + "ChannelImpl";
            String field = channel.equals("AsynchronousFile") ? "fdObj" : "fd";
            Class.forName(type).getDeclaredField(field);
            String entry = "{\"type\":\"" + type + "\",\"fields\":[{\"name\":\"" + field + "\"}]}";
            assertTrue(metadata().path("jni").toString().contains(entry), entry);
        }
    }

    @Test
    void loadedResourcesAreListed() throws Exception {
        TreeSet<String> loaded = found("resource\\(\"([\\w.]+)\"\\)", librarySources());
        assertEquals(new TreeSet<>(java.util.Set.of("libumh4j.so", "launcher.elf", "probe.elf")), loaded);
        for (String name : loaded) {
            for (String platform : new String[] {"linux-x86_64", "linux-arm64"}) {
                Path resource = Path.of("org/umh4j/internal", platform, name);
                boolean listed = false;
                for (JsonNode entry : metadata().path("resources")) {
                    PathMatcher glob = FileSystems.getDefault()
                            .getPathMatcher("glob:" + entry.path("glob").asText());
                    listed |= glob.matches(resource);
                }
                assertTrue(listed, resource.toString());
            }
        }
    }
}
