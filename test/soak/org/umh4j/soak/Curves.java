// SPDX-License-Identifier: Apache-2.0
package org.umh4j.soak;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The resources during a soak, as an SVG: one panel below the other, each from 0 to its highest value. */
final class Curves {
    private static final int WIDTH = 760;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int PANEL = 90;
    private static final int GAP = 34;
    private static final int TOP = 30;

    private final List<Sample> samples;
    private final StringBuilder svg = new StringBuilder();
    private int top = TOP;

    Curves(List<Sample> samples) {
        this.samples = samples;
    }

    String svg() {
        panel("helpers, in thousands", sample -> sample.helpers() / 1e3);
        panel("resident MiB", sample -> sample.counts().residentKib() / 1024.0);
        panel("heap in use, MiB", sample -> sample.counts().heapKib() / 1024.0);
        panel(
                "descriptors, those of helpers under way among them",
                sample -> sample.counts().descriptors());
        panel("children, those under way", sample -> sample.counts().children());
        panel("threads of the library", sample -> sample.counts().threads());
        panel("cgroups, those under way", sample -> sample.counts().cgroups());
        text(WIDTH - RIGHT, top - GAP + 26, "end", format(seconds()) + " s");
        return String.format(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                                + " font-size=\"11\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                        WIDTH, top)
                + svg + "</svg>\n";
    }

    private double seconds() {
        return samples.get(samples.size() - 1).seconds();
    }

    private void panel(String name, ToDoubleFunction<Sample> value) {
        double high = Math.max(1, samples.stream().mapToDouble(value).max().orElse(1));
        text(LEFT, top - 6, "start", name);
        text(LEFT - 6, top + 8, "end", format(high));
        text(LEFT - 6, top + PANEL, "end", "0");
        svg.append(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#b9bec6\"/>%n",
                LEFT,
                top,
                top + PANEL,
                WIDTH - RIGHT));
        svg.append("<polyline fill=\"none\" stroke=\"#1f6feb\" points=\"");
        for (Sample sample : samples) {
            double x = LEFT + (WIDTH - LEFT - RIGHT) * sample.seconds() / seconds();
            double y = top + PANEL * (1 - value.applyAsDouble(sample) / high);
            svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
        }
        svg.append("\"/>\n");
        top += PANEL + GAP;
    }

    private void text(double x, double y, String anchor, String words) {
        svg.append(String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, words));
    }

    private static String format(double value) {
        return String.format(Locale.ROOT, "%,.0f", value);
    }
}
