package dev.distillery.events;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

/** Records, JSON Schemas and the AsyncAPI document say the same. */
class ContractTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<Class<?>> events() {
        return Stream.concat(
                Arrays.stream(RunEvent.class.getPermittedSubclasses()),
                Stream.of(
                        TrainRequest.class,
                        ConvertRequest.class,
                        EvaluateRequest.class,
                        EvaluationPart.class,
                        RunControl.class,
                        ShardIngested.class));
    }

    private static JsonNode resource(String name) throws IOException {
        try (InputStream in = Event.class.getResourceAsStream(name)) {
            assertThat(in).as(name).isNotNull();
            return name.endsWith(".yaml") ? new YAMLMapper().readTree(in) : JSON.readTree(in);
        }
    }

    private static String name(Class<?> event) {
        return Event.typeOf(event.asSubclass(Event.class))
                .replace("dev.distillery.", "")
                .replace(".v1", "");
    }

    private static JsonSchema schema(Class<?> event) throws IOException {
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(resource("schemas/" + name(event) + ".v1.json"));
    }

    @ParameterizedTest
    @MethodSource("events")
    void shouldHaveASchemaWithTheRecordsFieldsAndNoOthers(Class<?> event) throws IOException {
        JsonNode schema = resource("schemas/" + name(event) + ".v1.json");
        assertThat(schema.path("title").asText()).isEqualTo(name(event));
        assertSame(name(event), schema, event);
    }

    private static void assertSame(String where, JsonNode schema, Class<?> type) {
        assertThat(schema.path("additionalProperties").isBoolean()
                        && !schema.path("additionalProperties").asBoolean())
                .as(where + " is closed")
                .isTrue();
        Set<String> fields = new TreeSet<>();
        for (RecordComponent field : type.getRecordComponents()) {
            fields.add(field.getName());
            assertFits(
                    where + "." + field.getName(), schema.at("/properties/" + field.getName()), field.getGenericType());
        }
        Set<String> properties = new TreeSet<>();
        schema.path("properties").fieldNames().forEachRemaining(properties::add);
        assertThat(properties).as(where).isEqualTo(fields);
    }

    /** A boxed number may be null, a primitive may not: the schema must say the same. */
    private static void assertFits(String where, JsonNode schema, Type java) {
        String type = schema.path("type").toString();
        if (java instanceof ParameterizedType map && map.getRawType() == SortedMap.class) {
            assertThat(type).as(where).isEqualTo("[\"object\",\"null\"]");
            JsonNode values = schema.path("patternProperties").elements().next();
            assertFits(where + "{}", values, map.getActualTypeArguments()[1]);
        } else if (java instanceof ParameterizedType list) {
            assertThat(type).as(where).isEqualTo("\"array\"");
            assertFits(where + "[]", schema.path("items"), list.getActualTypeArguments()[0]);
        } else if (java instanceof Class<?> c && c.isRecord()) {
            assertSame(where, schema, c);
        } else {
            assertThat(type).as(where).isIn(TYPES.get(java));
        }
    }

    private static final Map<Type, List<String>> TYPES = Map.of(
            int.class, List.of("\"integer\""),
            long.class, List.of("\"integer\""),
            double.class, List.of("\"number\""),
            boolean.class, List.of("\"boolean\""),
            Integer.class, List.of("[\"integer\",\"null\"]"),
            Long.class, List.of("[\"integer\",\"null\"]"),
            Double.class, List.of("[\"number\",\"null\"]"),
            String.class, List.of("\"string\"", "[\"string\",\"null\"]"),
            JsonNode.class, List.of("[\"number\",\"string\",\"null\"]", "[\"string\",\"object\"]"));

    static Stream<Event> examples() {
        return Stream.of(
                new RunAccepted("a"),
                new RunRejected("a", List.of(new Violation("train.batch", "0", "must be 1 or more"))),
                new StageProgress("a", "encode", 3, 8, "images", 1.5, null),
                new DatasetIngested("a", "0f", 10, 1, 2, 0.5),
                new ShardIngested("a", "0f", "1e", 0, 2, 5),
                new DatasetEncoded("a", "0f", "1e", "2d", 2, 10),
                new TrainingProgress("a", 1, 9, 1, 3, new TrainingProgress.Losses(1, 2, 3, 6), 2.5, 3.2, 1L << 30),
                new CheckpointSaved("a", 5, 1, true),
                new SamplesRendered("a", 1, 5, List.of("runs/a/samples/epoch-0001/00.png")),
                new TrainingCompleted("a", 9, 3.5),
                new ModelConverted("a", 9, "runs/a/model/", "fp16", 10, 20),
                EventJson.read(
                        "{\"run\": \"a\", \"evaluate\": {\"images\": 8}}".getBytes(UTF_8), EvaluateRequest.class),
                new EvaluationPart("a", "held-out", 1, 2),
                new ModelEvaluated(
                        "a", "held-out", "runs/a/evaluation/held-out.json", 8, 0.1, 0.2, 0.3, null, null, null),
                new EvaluationFailed("a", "held-out", "no such key", "put it there"),
                new RunCompleted("a", "runs/a/model/", "runs/a/report.html"),
                new RunFailed("a", "train", "the disk is full", "make room"),
                new RunCancelled("a", "train"),
                new RunControl("a", "cancel"),
                new RunControl("a", "extend", 60, null),
                new RunExtended("a", 60, null),
                new RunPaused("a", 12L),
                new RunResumed("a"),
                new ConvertRequest("a", null, "ema", "bf16", List.of("unet"), "fp16", "500MB"),
                TrainRequest.parse("{run: a, teacher: {model: 'file:///t'}, dataset: {source: 's3://b/p'}}"));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void shouldWriteWhatItsSchemaAllowsAndReadItAgain(Event event) throws IOException {
        // When
        byte[] json = EventJson.write(event);
        // Then
        JsonSchema schema = schema(event.getClass());
        assertThat(schema.validate(JSON.readTree(json))).isEmpty();
        Class<? extends Event> type = event.getClass();
        Event read = EventJson.read(json, type);
        assertThat(read).isEqualTo(event);
        ObjectNode more = (ObjectNode) JSON.readTree(json);
        assertThat(schema.validate(more.put("other", 1))).isNotEmpty();
    }

    /** The schema and the parser draw the same line. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dataset: {source: 's3://b/p', caption: {}}",
                "dataset: {source: 's3://b/p', caption: {long: 0}}",
                "dataset: {source: 's3://b/p', filter: {minSide: 0}}",
                "dataset: {source: 's3://b/p', filter: {captionLength: {min: 0}}}",
                "dataset: {source: 's3://b/p', filter: {duplicates: maybe}}",
                "dataset: {source: 's3://b/p', maxFailed: 2}",
                "encode: {buckets: some}",
                "student: {layout: ''}",
                "encode: {crop: left}",
                "encode: {flip: 2}",
                "encode: {resolution: 63}",
                "train: {batch: 0}",
                "train: {steps: 0}",
                "train: {clip: 0}",
                "train: {precision: fp16}",
                "train: {optimizer: {type: sgd}}",
                "train: {loss: {task: -1}}",
                "train: {bacth: 1}",
                "samples: {steps: 2000}",
                "samples: {prompts: hello}",
                "convert: {dtype: int8}",
                "convert: {variant: ../x}",
                "convert: {variant: ''}",
                "convert: {maxShardSize: 10GiB}",
                "convert: {maxShardSize: 0.0GB}",
                "convert: {maxShardSize: null}",
                "convert: {save: [everything]}",
                "evaluate: {images: -1}",
                "evaluate: {scores: []}",
                "evaluate: {scores: [beauty]}",
                "evaluate: {scheduler: heun}",
                "evaluate: {size: 63}",
                "evaluate: {clip: 'https://host/clip'}",
                "evaluate: {inceptionSha256: abc}"
            })
    void shouldRefuseARequestInSchemaAndParserAlike(String line) throws IOException {
        String text = "run: a\nteacher: {model: 'file:///t'}\n"
                + (line.startsWith("dataset") ? "" : "dataset: {source: 's3://b/p'}\n")
                + line;
        assertThat(schema(TrainRequest.class).validate(new YAMLMapper().readTree(text)))
                .isNotEmpty();
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> TrainRequest.parse(text)))
                .isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void shouldDescribeEveryTopicAndEveryEventInAsyncApi() throws IOException {
        JsonNode api = resource("asyncapi.yaml");
        Set<String> channels = new TreeSet<>();
        api.path("channels").fieldNames().forEachRemaining(channels::add);
        assertThat(channels)
                .isEqualTo(new TreeSet<>(
                        Arrays.stream(Topic.values()).map(Topic::channel).toList()));
        api.path("channels")
                .forEach(channel -> assertThat(channel.path("address").asText()).startsWith(Topic.DEFAULT_PREFIX));

        Set<String> messages = new TreeSet<>();
        api.at("/components/messages").fieldNames().forEachRemaining(messages::add);
        assertThat(messages)
                .isEqualTo(new TreeSet<>(events().map(ContractTest::name).toList()));
        api.at("/components/messages").fields().forEachRemaining(message -> {
            assertThat(message.getValue().path("name").asText())
                    .isEqualTo("dev.distillery." + message.getKey() + ".v1");
            assertThat(Event.class.getResource(
                            message.getValue().at("/payload/schema/$ref").asText()))
                    .isNotNull();
        });
        Set<String> published = new TreeSet<>();
        api.at("/channels/run-events/messages").fieldNames().forEachRemaining(published::add);
        assertThat(published)
                .isEqualTo(new TreeSet<>(Arrays.stream(RunEvent.class.getPermittedSubclasses())
                        .map(ContractTest::name)
                        .toList()));
    }
}
