package dev.distillery.standalone;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.Table;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery presets}: requests as others have trained. */
@Command(
        name = "presets",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Lists requests with the settings of diffengine, segmind, KOALA and BK-SDM; with NAME prints one, as "
                    + "YAML.",
            "Each says where its numbers come from, and where its data set is another than theirs."
        },
        footerHeading = "%nExample:%n",
        footer =
                "  distillery presets bk-sdm-small > request.yaml    (edit run and dataset, then validate, run or submit it)")
final class PresetsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "NAME", description = "One of them.")
    private Optional<String> name = Optional.empty();

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws JsonProcessingException {
        output.check();
        spec.commandLine().getOut().println(name.isPresent() ? one(name.get()) : all());
        return 0;
    }

    private String one(String preset) throws JsonProcessingException {
        String text = Presets.text(preset);
        return output.isJson() ? output.of(TrainRequest.parse(text), "") : text.stripTrailing();
    }

    private String all() throws JsonProcessingException {
        List<Presets.Preset> all =
                Presets.NAMES.stream().map(Presets.Preset::of).toList();
        return output.of(
                all,
                Table.of(
                        List.of("NAME", "LAYOUT", "ABOUT"),
                        all.stream()
                                .map(preset -> List.of(preset.name(), preset.layout(), preset.about()))
                                .toList()));
    }
}
