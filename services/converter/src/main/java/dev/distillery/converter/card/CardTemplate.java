package dev.distillery.converter.card;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

import io.quarkus.qute.Engine;
import io.quarkus.qute.Expression;
import io.quarkus.qute.RawString;
import io.quarkus.qute.ReflectionValueResolver;
import io.quarkus.qute.ResultMapper;
import io.quarkus.qute.Template;
import io.quarkus.qute.TemplateNode.Origin;
import io.quarkus.qute.ValueResolvers;

/** {@code card.md} filled with a {@link Card}; everything but what is Markdown already is escaped. */
final class CardTemplate {
    private final Template template;

    CardTemplate() {
        Engine engine = Engine.builder()
                .addDefaults()
                .addValueResolver(new ReflectionValueResolver())
                .addValueResolver(ValueResolvers.rawResolver())
                .addResultMapper(new Escaper())
                .build();
        template = engine.parse(text());
    }

    String fill(Card card) {
        return template.data("card", card).render();
    }

    private record Escaper() implements ResultMapper {
        @Override
        public boolean appliesTo(Origin origin, Object result) {
            return !(result instanceof RawString);
        }

        @Override
        public String map(Object result, Expression expression) {
            return Markdown.escape(result.toString());
        }
    }

    private static String text() {
        try (InputStream in = CardTemplate.class.getResourceAsStream("card.md")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
