package dev.distillery.diffusion.unet;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.tensor.NarrowSource;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Weights;

/**
 * The conditional U-Net of SDXL and SD v1/v2: forward returns the prediction and every block's output, so that
 * distillation needs no hooks.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_condition.py#L1040">
 *     UNet2DConditionModel.forward</a>
 */
public final class UNet2DCondition {
    private record Down(Stage stage, Optional<List<NDArray>> downsampler) {}

    private record Up(Stage stage, Optional<List<NDArray>> upsampler) {}

    private final UNetConfig config;
    private final Map<String, NDArray> parameters;
    private final List<NDArray> convIn;
    private final List<NDArray> timeEmbedding; // linear_1, linear_2
    private final List<NDArray> addEmbedding; // linear_1, linear_2; empty without text_time
    private final List<Down> down = new ArrayList<>();
    private final Optional<MidBlock> mid;
    private final List<Up> up = new ArrayList<>();
    private final List<NDArray> out; // conv_norm_out, conv_out

    /**
     * Takes diffusers' keys from {@code w}, which is then to be {@linkplain Weights#check checked}. The arrays stay with
     * the source's manager.
     */
    public UNet2DCondition(UNetConfig config, Weights w) {
        this.config = config;
        int c0 = config.down().get(0).channels();
        int t = config.timeEmbedDim();
        convIn = w.takePair("conv_in", c0, config.inChannels(), 3, 3);
        timeEmbedding = mlp(w.at("time_embedding"), c0, t);
        addEmbedding = config.textTime()
                .map(text -> mlp(w.at("add_embedding"), text.inputWidth(), t))
                .orElse(List.of());

        Deque<Integer> skips = new ArrayDeque<>(List.of(c0)); // channels of each skip connection, the last on top
        int channels = c0;
        for (int i = 0; i < config.levels(); i++) {
            UNetConfig.Level level = config.down().get(i);
            Weights block = w.at("down_blocks").at(i);
            var inputs = new ArrayList<>(Collections.nCopies(level.layers(), level.channels()));
            inputs.set(0, channels);
            channels = level.channels();
            for (int layer = 0; layer < level.layers(); layer++) {
                skips.push(channels);
            }
            boolean last = i == config.levels() - 1;
            var stage = new Stage(block, config, level, inputs);
            down.add(new Down(stage, last ? Optional.empty() : Optional.of(sampler(block, "downsamplers", channels))));
            if (!last) {
                skips.push(channels);
            }
        }
        mid = config.mid().kind() == UNetConfig.MidKind.NONE
                ? Optional.empty()
                : Optional.of(new MidBlock(w.at("mid_block"), config));
        for (int i = 0; i < config.levels(); i++) {
            UNetConfig.Level level = config.up().get(i);
            Weights block = w.at("up_blocks").at(i);
            var inputs = new ArrayList<Integer>();
            for (int layer = 0; layer < level.layers(); layer++) {
                inputs.add(channels + skips.pop());
                channels = level.channels();
            }
            boolean last = i == config.levels() - 1;
            var stage = new Stage(block, config, level, inputs);
            up.add(new Up(stage, last ? Optional.empty() : Optional.of(sampler(block, "upsamplers", channels))));
        }
        out = new ArrayList<>(w.takePair("conv_norm_out", c0));
        out.addAll(w.takePair("conv_out", config.outChannels(), c0, 3, 3));
        parameters = w.taken();
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
        Weights shapes = Weights.shapesOnly();
        new UNet2DCondition(config, shapes);
        return shapes.shapes();
    }

    private static List<NDArray> mlp(Weights w, int in, int out) {
        var list = new ArrayList<>(w.takePair("linear_1", out, in));
        list.addAll(w.takePair("linear_2", out, out));
        return list;
    }

    private static List<NDArray> sampler(Weights block, String name, int channels) {
        return block.at(name).at(0).takePair("conv", channels, channels, 3, 3);
    }

    public UNetConfig config() {
        return config;
    }

    /** Every parameter by diffusers key. */
    public Map<String, NDArray> parameters() {
        return parameters;
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

    /**
     * What it answers, attached to the manager of the input's latents.
     *
     * @param prediction epsilon or velocity {@code (B, C, H, W)}
     * @param down each down block's hidden state after its down-sampler
     * @param mid the mid block's output, when there is one
     * @param up each up block's hidden state after its up-sampler
     */
    public record Output(NDArray prediction, List<NDArray> down, Optional<NDArray> mid, List<NDArray> up)
            implements AutoCloseable {
        /** Everything by the name of what made it, in the order of the forward pass. */
        public Map<String, NDArray> byBlock() {
            var blocks = new LinkedHashMap<String, NDArray>();
            for (int i = 0; i < down.size(); i++) {
                blocks.put("down_blocks." + i, down.get(i));
            }
            mid.ifPresent(output -> blocks.put("mid_block", output));
            for (int i = 0; i < up.size(); i++) {
                blocks.put("up_blocks." + i, up.get(i));
            }
            blocks.put("conv_out", prediction);
            return blocks;
        }

        /** Frees the features; the prediction stays. */
        @Override
        public void close() {
            down.forEach(NDArray::close);
            mid.ifPresent(NDArray::close);
            up.forEach(NDArray::close);
        }
    }

    /** As {@link #forward(Input, Precision)} in float32. */
    public Output forward(Input in) {
        return forward(in, Precision.FP32);
    }

    /**
     * Predicts; with gradients when the thread's mode is on and parameters ask for them.
     *
     * @param precision of the arithmetic, and of the answer
     */
    public Output forward(Input in, Precision precision) {
        check(in);
        NDManager owner = in.latents.getManager();
        try (NDManager scope = owner.newSubManager()) {
            // Results follow their first argument: from here on everything is the scope's.
            NDArray latents = precision.of(in.latents, scope);
            NDArray prompt = precision.of(in.promptEmbeds, scope);
            NDArray temb = timeEmbedding(in, precision, scope); // (B, T)

            // Down: every layer's output is kept for the way up.
            NDArray h = Ops.conv(latents, convIn.get(0), convIn.get(1)); // (B, C0, H, W)
            Deque<NDArray> skips = new ArrayDeque<>(List.of(h));
            List<NDArray> downs = new ArrayList<>();
            for (Down block : down) {
                for (int layer = 0; layer < block.stage.size(); layer++) {
                    h = block.stage.forward(layer, h, temb, prompt);
                    skips.push(h);
                }
                if (block.downsampler.isPresent()) {
                    h = Ops.call(
                            "downsample",
                            h,
                            block.downsampler.get().get(0),
                            block.downsampler.get().get(1));
                    skips.push(h);
                }
                downs.add(h);
            }

            // Middle
            Optional<NDArray> middle = Optional.empty();
            if (mid.isPresent()) {
                h = mid.get().forward(h, temb, prompt);
                middle = Optional.of(h);
            }

            // Up: each layer sees the hidden state beside the skip connection of its depth.
            List<NDArray> ups = new ArrayList<>();
            for (Up block : up) {
                for (int layer = 0; layer < block.stage.size(); layer++) {
                    try (NDArray joined = Ops.call("concat", h, skips.pop())) { // (B, C + Cskip, H, W)
                        NDArray next = block.stage.forward(layer, joined, temb, prompt);
                        if (layer > 0) {
                            h.close();
                        }
                        h = next;
                    }
                }
                if (block.upsampler.isPresent()) {
                    List<NDArray> conv = block.upsampler.get();
                    try (NDArray small = h) {
                        h = Ops.call("upsample", small, skips.peek(), conv.get(0), conv.get(1));
                    }
                }
                ups.add(h);
            }

            NDArray prediction = Ops.call("group_norm_silu_conv", h, out, config.groups(), config.eps());
            prediction.attach(owner);
            downs.forEach(feature -> feature.attach(owner));
            middle.ifPresent(feature -> feature.attach(owner));
            ups.forEach(feature -> feature.attach(owner));
            return new Output(prediction, downs, middle, ups);
        }
    }

    private NDArray timeEmbedding(Input in, Precision precision, NDManager scope) {
        NDArray timesteps = in.timesteps.duplicate();
        timesteps.attach(scope);
        NDArray sinusoids =
                Ops.call("timestep_sinusoids", timesteps, config.down().get(0).channels()); // (B, C0)
        NDArray temb = Ops.call("embedding_mlp", precision.of(sinusoids, scope), timeEmbedding); // (B, T)
        if (config.textTime().isEmpty()) {
            return temb;
        }
        int width = config.textTime().get().timeWidth();
        NDArray ids = in.timeIds.reshape(-1);
        ids.attach(scope);
        NDArray times = Ops.call("timestep_sinusoids", ids, width)
                .reshape(in.timeIds.getShape().get(0), -1); // (B, 6w)
        NDArray text = in.textEmbeds.concat(times, 1); // (B, P + 6w)
        return Ops.call("add", temb, Ops.call("embedding_mlp", precision.of(text, scope), addEmbedding)); // (B, T)
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
