package dev.distillery.converter.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

import io.quarkus.qute.Engine;
import io.quarkus.qute.HtmlEscaper;
import io.quarkus.qute.ReflectionValueResolver;
import io.quarkus.qute.Template;
import io.quarkus.qute.ValueResolvers;
import io.quarkus.qute.Variant;

/** An HTML page in our style, filled with what it shows; everything but our own drawings is escaped. */
final class PageTemplate {

    private final Template template;

    /** @param name of the page's body, a resource beside this class */
    PageTemplate(String name) {
        Engine engine = Engine.builder()
                .addDefaults()
                .addValueResolver(new ReflectionValueResolver())
                .addValueResolver(ValueResolvers.rawResolver())
                .addResultMapper(new HtmlEscaper(List.of(Variant.TEXT_HTML)))
                .build();
        for (String part : List.of("frame", "charts", "samples")) {
            engine.putTemplate(part, parse(engine, part + ".html"));
        }
        template = parse(engine, name);
    }

    /** @param page what the template calls {@code page} */
    String fill(Record page) {
        return template.data("page", page).render();
    }

    private static Template parse(Engine engine, String name) {
        return engine.parse(text(name), Variant.forContentType(Variant.TEXT_HTML));
    }

    private static String text(String name) {
        try (InputStream in = PageTemplate.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
