package dev.distillery.dataingest;

import java.util.Arrays;
import java.util.List;

import dev.distillery.dataingest.setup.Setup;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import org.eclipse.microprofile.config.ConfigProvider;

/** The service; or, with {@code setup} as the first argument, a task of the installation that ends. */
@QuarkusMain(name = "data-ingest")
public final class Main {
    private Main() {}

    public static void main(String... args) {
        List<String> arguments = Arrays.asList(args);
        if (!arguments.isEmpty() && arguments.get(0).equals("setup")) {
            System.exit(Setup.run(
                    ConfigProvider.getConfig(), arguments.subList(1, arguments.size()), System.out, System.err));
        }
        Quarkus.run(args);
    }
}
