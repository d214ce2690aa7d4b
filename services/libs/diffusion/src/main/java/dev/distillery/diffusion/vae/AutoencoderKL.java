package dev.distillery.diffusion.vae;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Stable Diffusion's auto-encoder, for inference.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/autoencoders/autoencoder_kl.py#L38">
 *     AutoencoderKL</a>
 */
public final class AutoencoderKL {
    private final VaeConfig config;
    private final List<UnaryOperator<NDArray>> encoder;
    private final List<UnaryOperator<NDArray>> decoder;

    /** Takes diffusers' keys from {@code w}, which is then to be {@linkplain Weights#check checked}. */
    public AutoencoderKL(VaeConfig config, Weights w) {
        this.config = config;
        this.encoder = encoder(w.at("encoder"));
        if (config.quantConv()) {
            int moments = 2 * config.latentChannels();
            encoder.add(VaeBlocks.conv(w, "quant_conv", moments, moments, 1));
        }
        this.decoder = new ArrayList<>();
        if (config.postQuantConv()) {
            decoder.add(VaeBlocks.conv(w, "post_quant_conv", config.latentChannels(), config.latentChannels(), 1));
        }
        decoder.addAll(decoder(w.at("decoder")));
    }

    /**
     * Loads a diffusers folder, in float32.
     *
     * @param manager owner of the parameters
     */
    public static AutoencoderKL load(Path folder, NDManager manager) {
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights weights = Weights.of(folder.toString(), laidOut(SafetensorsSource.of(files, manager)));
            var vae = new AutoencoderKL(VaeConfig.read(folder), weights);
            weights.check();
            return vae;
        }
    }

    /**
     * On the CPU, kernels with their channels last, so that every feature map is laid out like that: oneDNN's convolutions are
     * then up to 1.6 times as fast, since they reorder nothing.
     */
    private static Weights.Source laidOut(SafetensorsSource source) {
        return new Weights.Source() {
            @Override
            public Set<String> keys() {
                return source.keys();
            }

            @Override
            public Shape shape(String key) {
                return source.shape(key);
            }

            @Override
            public NDArray load(String key) {
                NDArray weight = source.load(key);
                if (weight.getShape().dimension() != 4 || weight.getDevice().isGpu()) {
                    return weight;
                }
                try (weight) {
                    NDArray kernel = Ops.call("channels_last", weight);
                    kernel.attach(weight.getManager());
                    return kernel;
                }
            }
        };
    }

    /** Shape of every parameter of such an auto-encoder, by diffusers key, without allocating any. */
    public static Map<String, Shape> parameterShapes(VaeConfig config) {
        try (NDManager scope = Torch.newManager()) {
            Weights shapes = Weights.shapesOnly(scope);
            new AutoencoderKL(config, shapes);
            return shapes.shapes();
        }
    }

    private List<UnaryOperator<NDArray>> encoder(Weights w) {
        var blocks = new ArrayList<UnaryOperator<NDArray>>();
        int c = config.channels().get(0);
        blocks.add(VaeBlocks.conv(w, "conv_in", config.imageChannels(), c, 3));
        for (int level = 0; level < config.channels().size(); level++) {
            Weights block = w.at("down_blocks").at(level);
            int out = config.channels().get(level);
            for (int layer = 0; layer < config.layersPerBlock(); layer++) {
                blocks.add(VaeBlocks.resnet(block.at("resnets").at(layer), config.groups(), c, out));
                c = out;
            }
            if (level < config.channels().size() - 1) {
                blocks.add(VaeBlocks.downsample(block, c));
            }
        }
        blocks.addAll(VaeBlocks.mid(w.at("mid_block"), config, c));
        blocks.add(VaeBlocks.head(w, config.groups(), c, 2 * config.latentChannels()));
        return blocks;
    }

    private List<UnaryOperator<NDArray>> decoder(Weights w) {
        var blocks = new ArrayList<UnaryOperator<NDArray>>();
        int levels = config.channels().size();
        int c = config.channels().get(levels - 1);
        blocks.add(VaeBlocks.conv(w, "conv_in", config.latentChannels(), c, 3));
        blocks.addAll(VaeBlocks.mid(w.at("mid_block"), config, c));
        for (int level = 0; level < levels; level++) {
            Weights block = w.at("up_blocks").at(level);
            int out = config.channels().get(levels - 1 - level);
            for (int layer = 0; layer <= config.layersPerBlock(); layer++) {
                blocks.add(VaeBlocks.resnet(block.at("resnets").at(layer), config.groups(), c, out));
                c = out;
            }
            if (level < levels - 1) {
                blocks.add(VaeBlocks.upsample(block, c));
            }
        }
        blocks.add(VaeBlocks.head(w, config.groups(), c, config.imageChannels()));
        return blocks;
    }

    public VaeConfig config() {
        return config;
    }

    /**
     * The distribution of an image's latents, not yet scaled; attached to the manager of the pixels.
     *
     * @param mean {@code (B, C, h, w)}
     * @param std {@code (B, C, h, w)}
     */
    public record Posterior(NDArray mean, NDArray std) {}

    /** Pixels {@code (B, 3, H, W)} in [-1, 1], H and W multiples of {@link VaeConfig#scale}. */
    public Posterior encode(NDArray pixels) {
        long h = pixels.getShape().get(2);
        long w = pixels.getShape().get(3);
        if (h % config.scale() != 0 || w % config.scale() != 0) {
            throw new IllegalArgumentException(
                    "pixels must be a multiple of " + config.scale() + " high and wide but are " + h + "x" + w);
        }
        try (Torch.GradMode off = Torch.gradMode(false);
                NDArray moments = run(encoder, pixels)) { // (B, 2C, h, w)
            NDArray mean = Ops.call("channels", moments, 0, config.latentChannels());
            NDArray std = Ops.call("std_of_logvar", moments);
            mean.attach(pixels.getManager());
            std.attach(pixels.getManager());
            return new Posterior(mean, std);
        }
    }

    /** Unscaled latents {@code (B, C, h, w)} to pixels {@code (B, 3, H, W)}, about [-1, 1]. */
    public NDArray decode(NDArray latents) {
        try (Torch.GradMode off = Torch.gradMode(false);
                NDArray pixels = run(decoder, latents)) {
            NDArray readable = Ops.call("contiguous", pixels);
            readable.attach(latents.getManager());
            return readable;
        }
    }

    /** Each block's input is freed as soon as its output is there. */
    private static NDArray run(List<UnaryOperator<NDArray>> blocks, NDArray x) {
        NDArray h = x;
        for (UnaryOperator<NDArray> block : blocks) {
            NDArray next = block.apply(h);
            if (h != x) {
                h.close();
            }
            h = next;
        }
        return h;
    }
}
