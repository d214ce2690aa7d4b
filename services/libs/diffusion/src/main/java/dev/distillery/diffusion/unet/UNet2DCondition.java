package dev.distillery.diffusion.unet;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.tensor.NarrowSource;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * The conditional U-Net of SDXL and SD v1/v2. Any block's or unit's output can be had by the name that the checkpoint
 * gives it, so that distillation needs no hooks.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_condition.py#L1040">
 *     UNet2DConditionModel.forward</a>
 */
public final class UNet2DCondition {
    /** The name of the unit whose output is the prediction. */
    public static final String PREDICTION = "conv_out";

    private final UNetConfig config;
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();
    private final Map<String, NDArray> adapters = new LinkedHashMap<>();
    private NDArray loraScale; // of all adapters; null without a LoRA
    private final Units units = new Units();
    private final List<String> blocks = new ArrayList<>();

    /**
     * Takes diffusers' keys from {@code w}, which is then to be {@linkplain Weights#check checked}. The arrays stay with
     * the source's manager.
     */
    public UNet2DCondition(UNetConfig config, Weights w) {
        this.config = config;
        int c0 = config.down().get(0).channels();
        List<NDArray> convIn = w.takePair("conv_in", c0, config.inChannels(), 3, 3);
        int temb = addTimeEmbedding(w);
        int h = units.add("conv_in", "conv_in", convIn, List.of(), Units.LATENTS);

        // Down: every layer's output is used again on the way up.
        Deque<Skip> skips = new ArrayDeque<>(List.of(new Skip(h, c0)));
        int channels = c0;
        for (int i = 0; i < config.levels(); i++) {
            UNetConfig.Level level = config.down().get(i);
            String block = "down_blocks." + i;
            var inputs = new ArrayList<>(Collections.nCopies(level.layers(), level.channels()));
            inputs.set(0, channels);
            channels = level.channels();
            var stage = new Stage(w.at("down_blocks").at(i), config, level, inputs);
            for (int layer = 0; layer < stage.size(); layer++) {
                h = stage.addTo(units, block, layer, h, temb);
                skips.push(new Skip(h, channels));
            }
            if (i < config.levels() - 1) {
                List<NDArray> conv = w.at(block).at("downsamplers").at(0).takePair("conv", channels, channels, 3, 3);
                h = units.add(block + ".downsamplers.0", "downsample", conv, List.of(), h);
                skips.push(new Skip(h, channels));
            }
            addBlock(block, h);
        }

        // Middle
        if (config.mid().kind() != UNetConfig.MidKind.NONE) {
            h = new MidBlock(w.at("mid_block"), config).addTo(units, "mid_block", h, temb);
            addBlock("mid_block", h);
        }

        // Up: each layer sees the hidden state beside the skip connection of its depth.
        for (int i = 0; i < config.levels(); i++) {
            UNetConfig.Level level = config.up().get(i);
            String block = "up_blocks." + i;
            var inputs = new ArrayList<Integer>();
            var joined = new ArrayList<Skip>();
            for (int layer = 0; layer < level.layers(); layer++) {
                joined.add(skips.pop());
                inputs.add(channels + joined.get(layer).channels);
                channels = level.channels();
            }
            var stage = new Stage(w.at("up_blocks").at(i), config, level, inputs);
            for (int layer = 0; layer < stage.size(); layer++) {
                h = stage.addTo(units, block, layer, h, joined.get(layer).place, temb);
            }
            if (i < config.levels() - 1) {
                List<NDArray> conv = w.at(block).at("upsamplers").at(0).takePair("conv", channels, channels, 3, 3);
                h = units.add(block + ".upsamplers.0", "upsample", conv, List.of(), h, skips.peek().place);
            }
            addBlock(block, h);
        }

        var out = new ArrayList<>(w.takePair("conv_norm_out", c0));
        out.addAll(w.takePair("conv_out", config.outChannels(), c0, 3, 3));
        h = units.add(PREDICTION, "group_norm_silu_conv", out, List.of(config.groups(), config.eps()), h);
        addBlock(PREDICTION, h);
        w.taken().forEach((key, array) -> {
            if (Lora.isScale(key)) {
                loraScale = array;
            } else {
                (Lora.isAdapter(key) ? adapters : parameters).put(key, array);
            }
        });
    }

    private record Skip(int place, int channels) {}

    private void addBlock(String name, int last) {
        units.alias(name, last);
        blocks.add(name);
    }

    /** {@code (B, T)}, of the timestep and, with {@code text_time}, of the pooled prompt and the sizes. */
    private int addTimeEmbedding(Weights w) {
        int t = config.timeEmbedDim();
        List<NDArray> time = mlp(w.at("time_embedding"), config.down().get(0).channels(), t);
        int temb = units.add("time_embedding", "embedding_mlp", time, List.of(), Units.TIME);
        if (config.textTime().isEmpty()) {
            return temb;
        }
        List<NDArray> text = mlp(w.at("add_embedding"), config.textTime().get().inputWidth(), t);
        return units.add("add_embedding", "add_embedding", text, List.of(), temb, Units.TEXT);
    }

    /** As {@link #load(Path, NDManager, Precision)} in float32. */
    public static UNet2DCondition load(Path folder, NDManager manager) {
        return load(folder, manager, Precision.FP32);
    }

    /**
     * Loads a diffusers U-Net folder.
     *
     * @param manager owner of the parameters
     * @param precision in which matrices and kernels are held, for a network that does not learn
     * @throws dev.distillery.diffusion.tensor.WeightsException naming every missing, mis-shaped and unexpected key
     */
    public static UNet2DCondition load(Path folder, NDManager manager, Precision precision) {
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights.Source source = new NarrowSource(SafetensorsSource.of(files, manager), precision);
            Weights weights = Weights.of(folder.toString(), source);
            var unet = new UNet2DCondition(UNetConfig.read(folder), weights);
            weights.check();
            return unet;
        }
    }

    /** Shape of every parameter of such a network, by diffusers key, without allocating any. */
    public static Map<String, Shape> parameterShapes(UNetConfig config) {
        try (NDManager scope = Torch.newManager()) {
            Weights shapes = Weights.shapesOnly(scope);
            new UNet2DCondition(config, shapes);
            return shapes.shapes();
        }
    }

    /** The names of such a network's blocks and units, at which outputs can be had. */
    public static Set<String> sites(UNetConfig config) {
        try (NDManager scope = Torch.newManager()) {
            return new UNet2DCondition(config, Weights.shapesOnly(scope)).units.names();
        }
    }

    private static List<NDArray> mlp(Weights w, int in, int out) {
        var list = new ArrayList<>(w.takePair("linear_1", out, in));
        list.addAll(w.takePair("linear_2", out, out));
        return list;
    }

    Units units() {
        return units;
    }

    public UNetConfig config() {
        return config;
    }

    /** Every parameter by diffusers key, those of a LoRA not among them. */
    public Map<String, NDArray> parameters() {
        return Collections.unmodifiableMap(parameters);
    }

    /** Those of a LoRA by peft's key; empty if there is none. */
    public Map<String, NDArray> adapters() {
        return Collections.unmodifiableMap(adapters);
    }

    /** Lets the network, which must not learn, be as it is without its LoRA until the result is closed. */
    public Bare withoutAdapters() {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            NDArray scale = loraScale.duplicate();
            Ops.zero(List.of(loraScale));
            return () -> {
                try (scale;
                        Torch.GradMode alsoOff = Torch.gradMode(false)) {
                    Ops.copy(List.of(loraScale), List.of(scale));
                }
            };
        }
    }

    /** The scope of {@link #withoutAdapters}. */
    public interface Bare extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * What the network is asked. The arrays are the caller's.
     *
     * @param latents {@code (B, C, H, W)}, noisy, as the scheduler scales them
     * @param timesteps {@code (B)}, 0..999
     * @param promptEmbeds {@code (B, L, D)}
     * @param textEmbeds pooled prompt embedding {@code (B, P)}; null without {@code text_time}
     * @param timeIds original size, crop and target size {@code (B, 6)}; null without {@code text_time}
     */
    public record Input(
            NDArray latents, NDArray timesteps, NDArray promptEmbeds, NDArray textEmbeds, NDArray timeIds) {}

    /** The names of the blocks, whose outputs are the features, in the order of the forward pass; the last is the prediction. */
    public List<String> blocks() {
        return List.copyOf(blocks);
    }

    /**
     * Predicts, and frees everything else.
     *
     * @return epsilon or velocity {@code (B, C, H, W)} in float32, attached to the manager of the input's latents
     */
    public NDArray predict(Input in) {
        return forward(in, Precision.FP32, Set.of(PREDICTION)).get(PREDICTION);
    }

    /**
     * What the network makes of an input, at the blocks and units of these names.
     *
     * @return attached to the manager of the input's latents, in {@code precision}
     */
    public Map<String, NDArray> forward(Input in, Precision precision, Collection<String> sites) {
        NDManager owner = in.latents.getManager();
        Set<Integer> kept = sites.stream().map(units::place).collect(Collectors.toSet());
        try (NDManager scope = owner.newSubManager()) {
            NDArray[] outputs = units.run(given(in, precision, scope), kept, Map.of());
            var answer = new LinkedHashMap<String, NDArray>();
            for (String site : sites) {
                NDArray output = outputs[units.place(site)];
                output.attach(owner);
                answer.put(site, output);
            }
            return answer;
        }
    }

    /** Shows the outputs of blocks and units to listeners, by name, each as soon as it is there and only then. */
    public void forward(Input in, Precision precision, Map<String, Consumer<NDArray>> listeners) {
        var byPlace = new HashMap<Integer, Consumer<NDArray>>();
        listeners.forEach((site, listener) -> byPlace.put(units.place(site), listener));
        try (NDManager scope = in.latents.getManager().newSubManager()) {
            units.run(given(in, precision, scope), Set.of(), byPlace);
        }
    }

    /**
     * A pass whose gradients can go back to the parameters.
     *
     * @param sites names of the outputs that will be asked for
     * @param recompute whether to compute units again on the way back, to save memory
     * @param promptLearns whether they go back to what made {@code promptEmbeds} and {@code textEmbeds}, too
     */
    public Trace trace(Input in, Precision precision, Set<String> sites, boolean recompute, boolean promptLearns) {
        NDManager scope = in.latents.getManager().newSubManager();
        return new Trace(units, sites, given(in, precision, scope), recompute, promptLearns, scope);
    }

    private Units.Given given(Input in, Precision precision, NDManager scope) {
        check(in);
        NDArray timesteps = in.timesteps.duplicate();
        timesteps.attach(scope);
        NDArray time =
                Ops.call("timestep_sinusoids", timesteps, config.down().get(0).channels()); // (B, C0)
        NDArray text = null;
        if (config.textTime().isPresent()) {
            NDArray ids = in.timeIds.reshape(-1);
            ids.attach(scope);
            NDArray times = Ops.call(
                            "timestep_sinusoids", ids, config.textTime().get().timeWidth())
                    .reshape(in.timeIds.getShape().get(0), -1); // (B, 6w)
            try (NDArray joined = in.textEmbeds.concat(times, 1)) { // (B, P + 6w)
                text = precision.of(joined, scope);
            }
        }
        return new Units.Given(
                precision.of(in.latents, scope), precision.of(time, scope), text, precision.of(in.promptEmbeds, scope));
    }

    private void check(Input in) {
        long batch = in.latents.getShape().get(0);
        expect("latents", in.latents, batch, config.inChannels(), -1, -1);
        expect("timesteps", in.timesteps, batch);
        expect("prompt_embeds", in.promptEmbeds, batch, -1, config.crossAttentionDim());
        if (config.textTime().isPresent()) {
            expect("text_embeds", in.textEmbeds, batch, config.textTime().get().pooledWidth());
            expect("time_ids", in.timeIds, batch, 6);
        }
    }

    private static void expect(String name, NDArray array, long... shape) {
        if (array == null) {
            throw new IllegalArgumentException("'" + name + "' is missing: this U-Net has a text_time embedding");
        }
        Shape actual = array.getShape();
        boolean fits = actual.dimension() == shape.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = shape[i] == -1 || shape[i] == actual.get(i);
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "'" + name + "' must be " + new Shape(shape) + " (-1: any) but is " + actual);
        }
    }
}
