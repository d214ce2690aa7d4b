package dev.distillery.events;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class TrainRequestTest {

    private static final String LEAST =
            """
            run: small
            teacher: {model: "file:///teacher"}
            dataset: {source: "file:///data"}
            """;

    @Test
    void shouldFillInEveryDefaultAndReadItsOwnJsonAgain() {
        // When
        TrainRequest request = TrainRequest.parse(LEAST);

        // Then
        assertThat(request.train().epochs()).isEqualTo(50);
        assertThat(request.train().optimizer().type()).isEqualTo("adafactor");
        assertThat(request.convert().dtype()).isEqualTo("fp16");
        assertThat(TrainRequest.parse(request.canonicalJson())).isEqualTo(request);
    }

    @Test
    void shouldDropTheDefaultEpochsWhenStepsAreGiven() {
        // When
        TrainRequest request = TrainRequest.parse(LEAST + "train: {steps: 7, checkpoint: {everySteps: 2}}");

        // Then
        assertThat(request.train().epochs()).isNull();
        assertThat(request.train().steps()).isEqualTo(7);
        assertThat(request.train().checkpoint().everyEpochs()).isNull();
        assertThat(TrainRequest.parse(request.canonicalJson())).isEqualTo(request);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train: {bacth: 4}|train.bacth",
                "train: {batch: 0}|train.batch",
                "train: {batch: many}|train.batch",
                "train: {epochs: 3, steps: 3}|train.epochs",
                "convert: {dtype: int8}|convert.dtype",
                "samples: {prompts: [1]}|samples.prompts",
                "encode: 3|encode",
                "train: {clip: 1e999}|train.clip",
                "train: {steps: many}|train.steps",
                "student: {layout: ''}|student.layout",
                "student: {init: zeros}|student.init",
                "objective: dreamboot|objective",
                "subject: {images: 'file:///cat'}|subject.images",
                "subject: {classPrompt: a cat}|subject.classPrompt",
                "objective: dreambooth;subject: {images: 'file:///cat', prompt: sks cat}|dataset.source",
                "lora: {rank: 4};student: {layout: teacher}|objective",
                "objective: finetune;lora: {rank: -1}|lora.rank",
                "objective: finetune;lora: {rank: 4, alpha: 0}|lora.alpha",
                "objective: finetune;lora: {rank: 4, targets: [to_x]}|lora.targets",
                "objective: finetune;lora: {rank: 4, targets: []}|lora.targets",
                "objective: finetune;lora: {rank: 4, textEncoderLearningRate: 1.0e-5}|lora.textEncoderLearningRate",
                "lora: {textEncoderLearningRate: 1.0e-5}|lora.textEncoderLearningRate",
                "objective: finetune;lora: {rank: 4};student: {layout: small}|student.layout",
                "objective: finetune;lora: {rank: 4};student: {init: random}|student.init",
                "objective: finetune;train: {loss: {task: 0}}|train.loss.task",
                "convert: {save: [kohya]}|convert.save",
                "train: {loss: {snrGamma: 5, debiased: true}}|train.loss.debiased",
                "train: {loss: {huber: 0}}|train.loss.huber",
                "train: {loss: {featurePoints: attention}}|train.loss.featurePoints",
                "train: {loss: {normalize: student}}|train.loss.normalize",
                "train: {timesteps: {begin: 0.5, end: 0.5}}|train.timesteps.end",
                "train: {timesteps: {multiplier: 0}}|train.timesteps.multiplier",
                "train: {noise: {pyramid: 1.0}}|train.noise.pyramid",
                "train: {noise: {pyramid: 0.9, offset: 0.1}}|train.noise.pyramid",
                "train: {captionDropout: 10}|train.captionDropout",
                "student: {layout: custom}|student.keep",
                "student: {keep: {mid_block: whole}}|student.keep",
                "student: {layout: custom, keep: {mid_block: 3}}|student.keep",
                "train: {ema: {decay: 1.0}}|train.ema.decay",
                "convert: {weights: ema}|convert.weights",
                "train: {precision: fp16}|train.precision",
                "train: {loss: {task: 0, output: 0, feature: 0}}|train.loss.task",
                "student: {layout: teacher}, train: {loss: {task: 0}}|train.loss.task"
            })
    void shouldNameTheFieldWhenItIsWrong(String line, String path) {
        // When
        InvalidRequestException invalid = catchThrowableOfType(
                InvalidRequestException.class,
                () -> TrainRequest.parse(
                        LEAST + line.replace("}, train", "}\ntrain").replace(';', '\n')));

        // Then
        assertThat(invalid.violations()).extracting(Violation::path).containsExactly(path);
    }

    @Test
    void shouldNotHoldOutEveryPair() {
        // When
        InvalidRequestException invalid = catchThrowableOfType(
                InvalidRequestException.class,
                () -> TrainRequest.parse(LEAST.replace("dataset: {", "dataset: {validation: 1.0, ")));

        // Then
        assertThat(invalid.violations()).extracting(Violation::path).containsExactly("dataset.validation");
    }

    @Test
    void shouldNameEveryMissingFieldAtOnce() {
        // When
        InvalidRequestException invalid =
                catchThrowableOfType(InvalidRequestException.class, () -> TrainRequest.parse("run: Wrong_Name"));

        // Then
        assertThat(invalid.violations())
                .extracting(Violation::path)
                .containsExactly("run", "teacher.model", "dataset.source");
    }

    @Test
    void shouldNameEveryWrongFieldAtOnceAndWhatWasMeant() {
        // When
        InvalidRequestException invalid = catchThrowableOfType(
                InvalidRequestException.class,
                () -> TrainRequest.parse(LEAST + "train: {bacth: 4, clip: -1}\nstudnet: {layout: tiny}"));

        // Then
        assertThat(invalid.violations())
                .extracting(Violation::path)
                .containsExactly("train.bacth", "studnet", "train.clip");
        assertThat(invalid)
                .hasMessageContaining("did you mean 'batch'?")
                .hasMessageContaining("did you mean 'student'?");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"run: [|line", "just a text|must be an object", "''|must be an object", "run: a;run: b|Duplicate"})
    void shouldSayWhereAnUnreadableDocumentBreaks(String text, String message) {
        InvalidRequestException invalid =
                catchThrowableOfType(InvalidRequestException.class, () -> TrainRequest.parse(text.replace(";", "\n")));
        assertThat(invalid).hasMessageContaining(message);
    }

    @Test
    void shouldRefuseADocumentThatIsTooLargeOrTooDeep() {
        for (String hostile :
                new String[] {"x".repeat(2 << 20), "[".repeat(5000), "a: &a [1,1]\n" + "b: [*a,*a]\n".repeat(60)}) {
            assertThat(catchThrowableOfType(InvalidRequestException.class, () -> TrainRequest.parse(hostile)))
                    .isNotNull();
        }
    }
}
