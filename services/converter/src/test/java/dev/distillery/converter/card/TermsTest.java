package dev.distillery.converter.card;

import java.util.List;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class TermsTest {
    private static final Origin HUB = Origin.of("hf://owner/name@v1");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "---;license: mit;---;# text|{license=mit}",
                "---;license: mit;---|{license=mit}",
                "---;license: [a, b];---;|{license=a}",
                "---;license: other;license_name: x;license_link: https://x.org/l;---;"
                        + "|{license=other, license_link=https://x.org/l, license_name=x}",
                "---;license: other;license_link: LICENSE;---;|{license=other, license_link=LICENSE}",
                "---;license: other;license_link: TERMS.md;---;"
                        + "|{license=other, license_link=https://huggingface.co/owner/name/blob/main/TERMS.md}",
                "---;license: {a: b};---;|{}",
                "---;license: [;---;|{}",
                "---;license: mit|{}",
                "license: mit|{}",
                "---;- a;---;|{}",
                "---;license: !!javax.script.ScriptEngineManager [];---;|{}"
            })
    void shouldTakeTheLicenceFromTheHeaderOrNothing(String card, String expected) {
        // When
        Terms terms = Terms.of(card.replace(";", "\n"), List.of("LICENSE"), HUB);

        // Then
        assertThat(terms.fields()).hasToString(expected);
    }
}
