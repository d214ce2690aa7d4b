package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;

import dev.distillery.hub.HubAddress;
import dev.distillery.hub.HubClient;
import dev.distillery.hub.HubException;
import dev.distillery.hub.HubTarget;
import dev.distillery.hub.HubUpload;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery push}: a model into a repository of the Hub. */
@Command(
        name = "push",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Puts a model into a repository of the Hugging Face Hub, in one commit; makes the repository if it is not there.",
            "What the repository has already is not sent again, and its other files stay. A push that was stopped has changed",
            "nothing; given again, it sends what is missing. HF_TOKEN must be a token with the role 'write'; HF_ENDPOINT is a",
            "Hub other than https://huggingface.co."
        })
final class PushCommand implements Callable<Integer> {
    private final Map<String, String> env;

    @Parameters(
            index = "0",
            paramLabel = "RUN|FOLDER",
            description = {
                "A run in the home folder, a folder, or s3://bucket/runs/NAME/model (where the store is, is said by",
                StoreSettings.NAMES + ")."
            })
    private String source;

    @Parameters(index = "1", paramLabel = "hf://OWNER/NAME[@BRANCH]", description = "Where it goes.")
    private String to;

    @Option(names = "--private", description = "Only the owner may see a repository that is made.")
    private boolean isPrivate;

    @Option(
            names = {"-m", "--message"},
            paramLabel = "TEXT",
            description = "Of the commit.")
    private Optional<String> message;

    @Option(
            names = "--home",
            paramLabel = "DIR",
            defaultValue = ".distillery",
            description = "Where the run was. Default: ${DEFAULT-VALUE}")
    private Path home;

    @Spec
    private CommandSpec spec;

    PushCommand() {
        this(System.getenv());
    }

    PushCommand(Map<String, String> env) {
        this.env = env;
    }

    @Override
    public Integer call() {
        QuietLogging.install();
        HubTarget target = target();
        PushSource pushed = PushSource.of(source, home, env);
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        try {
            boolean made = target.prepare(isPrivate) == HubTarget.State.CREATED;
            terminal.line(target.address() + (made ? " is made." : " is there."));
            var upload = new HubUpload(target.client(), target.address(), pushed.files(), progress(terminal));
            HubUpload.Result result = upload.push(message.orElse("Upload of a model made with Distillery"));
            terminal.clearStatus();
            terminal.line(inWords(result));
            return 0;
        } catch (HubException e) {
            throw UserException.failed(target.address() + " " + e.getMessage(), e);
        } catch (IOException e) {
            throw UserException.failed(
                    pushed.name() + " was not pushed: " + e.getMessage()
                            + "\nThe repository is as it was. The same command sends what is missing.",
                    e);
        }
    }

    private HubTarget target() {
        try {
            return new HubTarget(new HubClient(HubClient.Settings.of(env)), HubAddress.of(to));
        } catch (IllegalArgumentException e) {
            throw UserException.badInput(e.getMessage());
        }
    }

    private static HubUpload.Progress progress(Terminal terminal) {
        var sent = new AtomicLong();
        return (name, bytes) -> {
            long all = sent.addAndGet(bytes);
            if (terminal.live()) {
                terminal.status("  " + megabytes(all) + " sent, " + name);
            }
        };
    }

    private static String inWords(HubUpload.Result result) {
        return result.sent() == 0
                ? "All of its " + result.there() + " files are there already: " + result.commit()
                : result.sent() + " files, " + megabytes(result.bytes()) + ": " + result.commit()
                        + (result.there() == 0 ? "" : "\n" + result.there() + " more are there already.");
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
