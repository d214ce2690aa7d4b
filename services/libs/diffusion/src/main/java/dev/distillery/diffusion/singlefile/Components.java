package dev.distillery.diffusion.singlefile;

import java.nio.file.Path;
import java.util.Map;

/**
 * The components of a pipeline, some of which are not in its folder.
 *
 * @param pipeline diffusers folder; null if all that is asked for is elsewhere
 * @param elsewhere folders by the component's name
 */
public record Components(Path pipeline, Map<String, Path> elsewhere) {
    public Components {
        elsewhere = Map.copyOf(elsewhere);
    }

    /** The folder of a component, such as {@code text_encoder}. */
    public Path of(String component) {
        Path own = elsewhere.get(component);
        return own == null ? pipeline.resolve(component) : own;
    }

    /** The file of a name such as {@code text_encoder/config.json} or {@code model_index.json}. */
    Path file(String name) {
        int slash = name.indexOf('/');
        return slash < 0 ? pipeline.resolve(name) : of(name.substring(0, slash)).resolve(name.substring(slash + 1));
    }
}
